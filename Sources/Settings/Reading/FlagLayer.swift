// Settings on the command line: `--database.pool-size 4` or `--database.pool-size=4`; a boolean's flag may stand alone.

import Domain

package enum FlagLayer {
    /// A flag as a command line declares it.
    package struct Declaration: Sendable {
        /// Without dashes.
        package let name: String
        package let summary: String
        package let allowed: String
        package let isSwitch: Bool
    }

    /// `config`, and one a setting.
    package static let declarations: [Declaration] =
        [
            Declaration(
                name: "config", summary: "The settings file (YAML); also ARTIFORTRESS_CONFIG.", allowed: "a path",
                isSwitch: false)
        ]
        + Catalogue.all.map {
            Declaration(
                name: Spelling.flag($0.name), summary: $0.meaning, allowed: $0.allowed, isSwitch: $0.isSwitch)
        }

    /// Splits words into flags and their values.
    static func flags(in arguments: [String]) throws(SettingsFault) -> [(name: String, value: String)] {
        var flags: [(name: String, value: String)] = []
        var rest = arguments[...]
        while let word = rest.popFirst() {
            guard let text = word.dropping(prefix: "--"), !text.isEmpty else {
                throw SettingsFault("'\(word)' (command line): not a flag")
            }
            let (name, value) = String(text).split(at: "=")
            if let value {
                flags.append((name, value))
            } else if Self.declarations.contains(where: { $0.name == name && $0.isSwitch }),
                rest.first.map({ !["true", "false"].contains($0) }) ?? true
            {
                flags.append((name, "true"))
            } else if Self.declarations.contains(where: { $0.name == name }) {
                guard let next = rest.popFirst() else {
                    throw SettingsFault("--\(name) (command line): has no value")
                }
                flags.append((name, next))
            } else {
                throw Self.unknown(name)
            }
        }
        return flags
    }

    static func given(in flags: [(name: String, value: String)]) throws(SettingsFault) -> [Name: Given] {
        var keys: [Name: String] = [:]
        for setting in Catalogue.all { keys[Name(Spelling.flag(setting.name))] = setting.name }
        var given: [Name: Given] = [:]
        for (name, value) in flags where name != "config" {
            guard let key = keys[Name(name)] else { throw Self.unknown(name) }
            given[Name(key)] = Given(content: .text(value), source: .flag("--\(name)"))
        }
        return given
    }

    static func file(in flags: [(name: String, value: String)]) -> String? { flags.last { $0.name == "config" }?.value }

    private static func unknown(_ name: String) -> SettingsFault {
        let names = Self.declarations.map { "--\($0.name)" }
        return SettingsFault(
            "--\(name) (command line): no such setting" + Spelling.suggestion(for: "--\(name)", among: names))
    }
}
