// A setting's declaration: name, kind, default, meaning. The catalogue of all settings (Catalogue/) defines what is read,
// what is rejected, what `artifortress config` prints and what docs/configuration.md says.

import Domain

/// One setting, typed. `configuration[.listen]` reads it.
package struct Setting<Value: Sendable>: Sendable {
    /// The value that applies if none is given.
    enum Default: Sendable {
        case value(Value)
        /// Computed from settings that come before this one in the catalogue; with its description.
        case derived(String, @Sendable (Configuration) -> Value)
    }

    package let name: String
    let kind: Kind<Value>
    let fallback: Default
    package let meaning: String
    /// The feature that uses this setting, if this build does not include that feature.
    package private(set) var pendingFeature: String?
    /// Values that ask for the pending feature: they stop the start, because nothing would act on them.
    private var isRejected: @Sendable (Value) -> Bool = { _ in false }

    init(_ name: String, _ kind: Kind<Value>, default fallback: Default, _ meaning: String) {
        self.name = name
        self.kind = kind
        self.fallback = fallback
        self.meaning = meaning
    }

    init(_ name: String, _ kind: Kind<Value>, default value: Value, _ meaning: String) {
        self.init(name, kind, default: .value(value), meaning)
    }

    /// The same setting, marked as not yet effective: it is read and checked, but nothing uses it.
    ///
    /// - Parameters:
    ///   - feature: what this build does not include.
    ///   - isRejected: values that are rejected instead of being accepted without an effect.
    func pending(_ feature: String, rejecting isRejected: @escaping @Sendable (Value) -> Bool = { _ in false }) -> Self
    {
        var setting = self
        setting.pendingFeature = feature
        setting.isRejected = isRejected
        return setting
    }
}

/// A declaration of any type.
package protocol AnySetting: Sendable {
    var name: String { get }
    var meaning: String { get }
    /// The feature that uses the setting, if this build does not include that feature: the setting has no effect then.
    var pendingFeature: String? { get }
    /// In words: type and range.
    var allowed: String { get }
    /// In words.
    var defaultText: String { get }
    var isSecret: Bool { get }
    /// Whether its flag may be given without a value, for `true`.
    var isSwitch: Bool { get }

    /// The value in force.
    ///
    /// - Parameter configuration: with every setting that comes before this one.
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
        if let feature = self.pendingFeature, self.isRejected(value) {
            throw SettingsFault(self.name, given.source, "this build does not include \(feature)")
        }
        return Configuration.Entry(value: value, shown: self.kind.write(value), source: given.source)
    }
}
