// A program whose words are kept.

import Commands
import Synchronization

final class Recorder: Sendable {
    private let lines = Mutex<(printed: [String], complaints: [String])>(([], []))

    var printed: String { self.lines.withLock { $0.printed.joined(separator: "\n") } }
    var complaints: String { self.lines.withLock { $0.complaints.joined(separator: "\n") } }

    var console: Console {
        Console(
            print: { text in self.lines.withLock { $0.printed.append(text) } },
            complain: { text in self.lines.withLock { $0.complaints.append(text) } })
    }

    /// Runs a program whose verb `echo` prints what it was given.
    func run(_ words: String...) async -> ExitCode { await self.run(words) }

    func run(_ words: [String]) async -> ExitCode {
        let echo = Command(
            name: "echo", summary: "Says it again.", details: "Loudly.",
            flags: [
                Flag("times", "N", "How often."), Flag("loud", "Louder."), Flag.output,
                Flag("log.level", "LEVEL", "What is logged.", section: "Settings"),
            ],
            arguments: [Argument("FIRST", "The first word."), Argument("MORE", "Further words.", .any)]
        ) { invocation in
            if let times = try invocation.integer("times", in: 1...3) { invocation.console.print("times=\(times)") }
            if invocation.isOn("loud") { invocation.console.print("loud") }
            if invocation.wantsJSON { invocation.console.print("json") }
            invocation.console.print(invocation.arguments.joined(separator: "+"))
        }
        let fail = Command(name: "fail", summary: "Fails.", flags: [Flag("token", "T", "A token.")]) { invocation in
            _ = try invocation.required("token")
            throw Broken(description: "first line\nsecond line")
        }
        let quiet = Command(name: "quiet", summary: "Fails without a word.") { _ in throw Failure() }
        let program = Program(
            name: "prog", summary: "A program.",
            commands: [echo, Command(name: "group", summary: "A group.", verbs: [fail, quiet])], console: self.console)
        return await program.run(words)
    }

    struct Broken: Error, CustomStringConvertible { let description: String }
}
