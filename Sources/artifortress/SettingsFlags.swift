// The settings as flags of a verb.

import Commands
import Domain
import Glibc
import Settings

enum SettingsFlags {
    /// `--config`, and one a setting.
    static let all = FlagLayer.declarations.map { declaration in
        Flag(
            declaration.name, declaration.isSwitch ? nil : "VALUE", "\(declaration.summary) (\(declaration.allowed))",
            section: "Settings")
    }

    static func read(_ invocation: Invocation) throws -> Configuration {
        try Configuration.read(
            flags: invocation.flags.filter { flag in self.all.contains { $0.name == flag.name } },
            environment: Self.environment,
            surroundings: Surroundings(
                isTerminal: isatty(STDERR_FILENO) != 0, processors: Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
    }

    private static var environment: [String: String] {
        var variables: [String: String] = [:]
        var next = unsafe environ
        while let entry = unsafe next.pointee {
            let text = unsafe String(cString: entry)
            if let mark = text.first("=") {
                variables[String(text[..<mark])] = String(text[text.utf8.index(after: mark)...])
            }
            unsafe next += 1
        }
        return variables
    }
}
