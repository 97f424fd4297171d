// Settings in the environment: `ARTIFORTRESS_…`, and `ARTIFORTRESS_…_FILE` for a file that holds the value.

import Domain

enum EnvironmentLayer {
    /// Names the settings file.
    static let fileVariable = Spelling.prefix + "CONFIG"

    static func given(in environment: [String: String]) throws(SettingsFault) -> [Name: Given] {
        var keys: [Name: String] = [:]
        for setting in Catalogue.all { keys[Name(Spelling.variable(setting.name))] = setting.name }
        let variables = Dictionary(environment.map { (Name($0.key), $0.value) }) { $1 }

        var given: [Name: Given] = [:]
        for (name, value) in variables.sorted(by: { $0.key < $1.key }) where name.starts(with: Spelling.prefix) {
            let variable = name.text
            if variable == Self.fileVariable || Self.isAnothers(variable) { continue }
            if let key = keys[name] {
                given[Name(key)] = Given(content: .text(value), source: .environment(variable))
            } else if name.ends(with: "_FILE"), let key = keys[Self.twin(of: variable)] {
                let twin = Self.twin(of: variable)
                guard variables[twin] == nil else {
                    throw SettingsFault(key, .environment(variable), "\(twin) is set too; allowed: one of the two")
                }
                let text = try SmallFile.text(of: value, for: "\(key) (\(variable))")
                given[Name(key)] = Given(content: .text(Self.withoutLineEnd(text)), source: .environment(variable))
            } else {
                throw SettingsFault(
                    "\(variable) (environment): no such setting"
                        + Spelling.suggestion(for: variable, among: keys.keys.sorted().map(\.text)))
            }
        }
        return given
    }

    /// Without `_FILE` at its end.
    private static func twin(of variable: String) -> Name { Name(Substring(variable.utf8.dropLast(5))) }

    private static func withoutLineEnd(_ text: String) -> String {
        text.last?.isNewline == true ? String(text.dropLast()) : text  // "\r\n" is one character
    }

    /// Whether a variable with the program's prefix is not a setting: what Kubernetes sets in every pod for a Service whose
    /// name begins with `artifortress` (`…_SERVICE_HOST`, `…_PORT_8080_TCP_ADDR`), and what our tests read.
    private static func isAnothers(_ variable: String) -> Bool {
        if variable.startsWithBytes(of: Spelling.prefix + "TEST_") { return true }
        let words = variable.parts(at: "_", keepsEmpty: false)
        if let service = words.lastIndex(of: "SERVICE"), service > 0, service + 1 < words.count {
            return words[service + 1] == "HOST" || words[service + 1] == "PORT"
        }
        if let port = words.lastIndex(where: { $0 == "PORT" }), port == words.count - 1 { return true }
        guard let first = words.firstIndex(of: "PORT"), words.count >= first + 3 else { return false }
        return Int(words[first + 1]) != nil && ["TCP", "UDP", "SCTP"].contains(words[first + 2])
    }
}
