// Settings in the environment: `ARTIFORTRESS_…`, and `ARTIFORTRESS_…_FILE` for a file that holds the value.

enum EnvironmentLayer {
    /// Names the settings file.
    static let fileVariable = Spelling.prefix + "CONFIG"

    static func given(in environment: [String: String]) throws(SettingsFault) -> [String: Given] {
        var keys: [String: String] = [:]
        for setting in Catalogue.all { keys[Spelling.variable(setting.name)] = setting.name }

        var given: [String: Given] = [:]
        for (variable, value) in environment.sorted(by: { $0.key < $1.key }) where variable.hasPrefix(Spelling.prefix) {
            if variable == Self.fileVariable || Self.isAnothers(variable) { continue }
            if let key = keys[variable] {
                given[key] = Given(content: .text(value), source: .environment(variable))
            } else if variable.hasSuffix("_FILE"), let key = keys[String(variable.dropLast(5))] {
                let twin = variable.dropLast(5)
                guard environment[String(twin)] == nil else {
                    throw SettingsFault(key, .environment(variable), "\(twin) is set too; allowed: one of the two")
                }
                let text = try SmallFile.text(of: value, for: "\(key) (\(variable))")
                given[key] = Given(content: .text(Self.withoutLineEnd(text)), source: .environment(variable))
            } else {
                throw SettingsFault(
                    "\(variable) (environment): no such setting"
                        + Spelling.suggestion(for: variable, among: Array(keys.keys.sorted())))
            }
        }
        return given
    }

    private static func withoutLineEnd(_ text: String) -> String {
        text.last?.isNewline == true ? String(text.dropLast()) : text  // "\r\n" is one character
    }

    /// Whether a variable with our prefix isn't ours to read: what Kubernetes sets in every pod for a Service whose
    /// name begins with `artifortress` (`…_SERVICE_HOST`, `…_PORT_8080_TCP_ADDR`), and what our tests read.
    private static func isAnothers(_ variable: String) -> Bool {
        if variable.hasPrefix(Spelling.prefix + "TEST_") { return true }
        let words = variable.split(separator: "_")
        if let service = words.lastIndex(of: "SERVICE"), service > 0, service + 1 < words.count {
            return words[service + 1] == "HOST" || words[service + 1] == "PORT"
        }
        if let port = words.lastIndex(where: { $0 == "PORT" }), port == words.count - 1 { return true }
        guard let first = words.firstIndex(of: "PORT"), words.count >= first + 3 else { return false }
        return Int(words[first + 1]) != nil && ["TCP", "UDP", "SCTP"].contains(words[first + 2])
    }
}
