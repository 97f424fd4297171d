// The settings in force: read once, at the start; every value typed and inside its range.

package import Domain

package struct Configuration: Sendable {
    package struct Entry: Sendable {
        let value: any Sendable
        /// The value for people; secrets are hidden in it.
        package let shown: JSON
        package let source: SettingSource
    }

    var entries: [Name: Entry] = [:]
    /// What the defaults depend on besides other settings.
    package let surroundings: Surroundings

    init(_ surroundings: Surroundings) { self.surroundings = surroundings }

    package subscript<Value>(_ setting: Setting<Value>) -> Value {
        guard let value = self.entries[Name(setting.name)]?.value as? Value else {
            preconditionFailure("\(setting.name) is not in the catalogue, or is read before it is decided")
        }
        return value
    }

    package func source<Value>(of setting: Setting<Value>) -> SettingSource {
        self.entries[Name(setting.name)]?.source ?? .default
    }
}

/// What the process finds around it that defaults depend on.
package struct Surroundings: Sendable {
    /// Whether logs go to a terminal.
    package let isTerminal: Bool
    package let processors: Int

    package init(isTerminal: Bool, processors: Int) {
        self.isTerminal = isTerminal
        self.processors = processors
    }
}
