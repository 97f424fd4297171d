// The settings file, the environment and the command line, laid over each other: the later wins.

import Domain

extension Configuration {
    /// Reads the settings.
    ///
    /// - Parameters:
    ///   - flags: name without dashes, and value; of repeated ones the last holds. `config` names the settings file.
    ///   - environment: variables that begin with `ARTIFORTRESS_` are settings; `ARTIFORTRESS_CONFIG` names the file.
    /// - Throws: the first thing that is wrong.
    package static func read(
        flags: [(name: String, value: String)], environment: [String: String], surroundings: Surroundings
    ) throws(SettingsFault) -> Configuration {
        let fromEnvironment = try EnvironmentLayer.given(in: environment)
        let fromFlags = try FlagLayer.given(in: flags)
        let fromFile: [Name: Given]
        if let path = FlagLayer.file(in: flags) ?? environment[EnvironmentLayer.fileVariable] {
            fromFile = try FileLayer.given(inFile: path)
        } else {
            fromFile = [:]
        }
        return try Configuration.settling([fromFile, fromEnvironment, fromFlags], surroundings)
    }

    /// The command line's words behind the verb, each of which must be a setting's flag.
    package static func read(
        arguments: [String], environment: [String: String], surroundings: Surroundings
    ) throws(SettingsFault) -> Configuration {
        try Configuration.read(
            flags: FlagLayer.flags(in: arguments), environment: environment, surroundings: surroundings)
    }

    /// - Parameter layers: by key; the later wins.
    static func settling(
        _ layers: [[Name: Given]], _ surroundings: Surroundings
    ) throws(SettingsFault) -> Configuration {
        var configuration = Configuration(surroundings)
        for setting in Catalogue.all {
            // A value that a later layer hides must be right all the same.
            var entry = try setting.entry(for: nil, in: configuration)
            for layer in layers {
                if let given = layer[Name(setting.name)] { entry = try setting.entry(for: given, in: configuration) }
            }
            configuration.entries[Name(setting.name)] = entry
        }
        try configuration.check()
        return configuration
    }
}
