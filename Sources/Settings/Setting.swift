// A setting's declaration: name, kind, default, meaning. The catalogue of them all (Catalogue/) makes what is read,
// what is refused, `artifortress config` and docs/configuration.md. Rules: HTTP contract, section 5 and 9, row 43.

import Domain

/// One setting, typed. `configuration[.listen]` reads it.
package struct Setting<Value: Sendable>: Sendable {
    /// What holds where nothing is given.
    enum Default: Sendable {
        case value(Value)
        /// From settings that stand before this one in the catalogue, and the words for it.
        case derived(String, @Sendable (Configuration) -> Value)
    }

    package let name: String
    let kind: Kind<Value>
    let fallback: Default
    package let meaning: String
    /// What a value would switch on that this build does not include, and which values do.
    let missing: (feature: String, isAskedFor: @Sendable (Value) -> Bool)?

    init(
        _ name: String, _ kind: Kind<Value>, default fallback: Default, _ meaning: String,
        missing: (feature: String, isAskedFor: @Sendable (Value) -> Bool)? = nil
    ) {
        (self.name, self.kind, self.fallback, self.meaning, self.missing) = (name, kind, fallback, meaning, missing)
    }

    init(_ name: String, _ kind: Kind<Value>, default value: Value, _ meaning: String) {
        self.init(name, kind, default: .value(value), meaning)
    }
}

/// A declaration of any type.
package protocol AnySetting: Sendable {
    var name: String { get }
    var meaning: String { get }
    /// In words: type and range.
    var allowed: String { get }
    /// In words.
    var defaultText: String { get }
    var isSecret: Bool { get }
    /// Whether its flag may stand alone, for `true`.
    var isSwitch: Bool { get }

    /// The value that holds.
    ///
    /// - Parameter configuration: with every setting that stands before this one.
    func entry(for given: Given?, in configuration: Configuration) throws(SettingsFault) -> Configuration.Entry
}

extension Setting: AnySetting {
    package var allowed: String { self.kind.allowed }
    package var isSecret: Bool { self.kind.isSecret }
    package var isSwitch: Bool { Value.self == Bool.self }

    package var defaultText: String {
        switch self.fallback {
        case .derived(let words, _): words
        case .value(let value):
            switch self.kind.write(value) {
            case .null: "none"
            case .string(let text): text.isEmpty ? "none" : text
            case .array(let elements): elements.isEmpty ? "none" : elements.compactMap(\.text).joined(separator: ",")
            case let other: other.description
            }
        }
    }

    package func entry(
        for given: Given?, in configuration: Configuration
    ) throws(SettingsFault) -> Configuration.Entry {
        guard let given else {
            let value =
                switch self.fallback {
                case .value(let value): value
                case .derived(_, let derive): derive(configuration)
                }
            return Configuration.Entry(value: value, shown: self.kind.write(value), source: .default)
        }
        let value = try self.kind.value(of: given, for: self.name)
        if let missing, missing.isAskedFor(value) {
            throw SettingsFault(self.name, given.source, "this build does not include \(missing.feature)")
        }
        return Configuration.Entry(value: value, shown: self.kind.write(value), source: given.source)
    }
}
