// A program: finds the verb, parses its words, runs it, turns what it throws into a line and an exit code.

import Domain

package enum ExitCode: Int32, Sendable {
    case success = 0
    case failure = 1
    case usage = 2
}

package struct Program: Sendable {
    package let name: String
    package let summary: String
    package let commands: [Command]
    package let console: Console

    package init(name: String, summary: String, commands: [Command], console: Console = .standard) {
        self.name = name
        self.summary = summary
        self.commands = commands
        self.console = console
    }

    /// - Parameter words: behind the program's name.
    package func run(_ words: [String]) async -> ExitCode {
        var path = self.name
        do {
            var words = words[...]
            if words.first == "help" { words = words.dropFirst() + ["--help"] }
            if words.first == "--version" { words = ["version"] + words.dropFirst() }
            var verbs = self.commands
            var summary = self.summary
            while true {
                guard let word = words.first else {
                    self.console.complain(Help.group(path, summary, verbs))
                    return .usage
                }
                if word == "--help" || word == "-h" {
                    self.console.print(Help.group(path, summary, verbs))
                    return .success
                }
                guard let command = verbs.first(where: { $0.name == word }) else {
                    let names = verbs.map(\.name)
                    throw UsageFault(
                        word.hasPrefix("-")
                            ? "'\(word)' stands before the verb"
                            : "no such verb: '\(word)'"
                                + (names.nearest(to: word).map { " (did you mean \($0)?)" } ?? ""))
                }
                words = words.dropFirst()
                path += " \(command.name)"
                summary = command.summary
                switch command.work {
                case .verbs(let below): verbs = below
                case .run(let run):
                    guard let given = try WordParser.parse(words, of: command) else {
                        self.console.print(Help.verb(path, command))
                        return .success
                    }
                    try await run(
                        Invocation(
                            path: path, flags: given.flags, arguments: given.arguments, console: self.console))
                    return .success
                }
            }
        } catch let fault as UsageFault {
            self.console.complain("\(path): \(FaultText.of(fault)); see '\(path) --help'")
            return .usage
        } catch is Failure {
            return .failure
        } catch {
            self.console.complain("\(path): \(FaultText.of(error))")
            return .failure
        }
    }
}
