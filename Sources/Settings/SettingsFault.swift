// Why a start is refused. Rule: HTTP contract, section 5: one line that names the key, its source and what is allowed.

/// One thing that is wrong with the settings. Its description is one line, without a secret.
package struct SettingsFault: Error, Hashable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = String(description.map { $0.isNewline ? " " : $0 }) }

    init(_ key: String, _ source: SettingSource, _ problem: String) { self.init("\(key) (\(source)): \(problem)") }
}
