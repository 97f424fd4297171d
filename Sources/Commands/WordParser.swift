// A verb's words: flags and arguments in any order; `--` ends the flags.

import Domain

enum WordParser {
    /// - Returns: nil where help is asked for.
    static func parse(
        _ words: ArraySlice<String>, of command: Command
    ) throws(UsageFault) -> (flags: [(name: String, value: String)], arguments: [String])? {
        var flags: [(name: String, value: String)] = []
        var arguments: [String] = []
        var rest = words
        while let word = rest.popFirst() {
            if word == "--" {
                arguments += rest
                break
            }
            if word == "--help" || word == "-h" { return nil }
            guard word.hasPrefix("-"), word != "-" else {
                arguments.append(word)
                continue
            }
            flags.append(try Self.flag(word, &rest, of: command))
        }
        try Self.check(arguments, of: command)
        return (flags, arguments)
    }

    private static func flag(
        _ word: String, _ rest: inout ArraySlice<String>, of command: Command
    ) throws(UsageFault) -> (name: String, value: String) {
        let equals = word.firstIndex(of: "=")
        let dashed = String(word[..<(equals ?? word.endIndex)])
        guard let flag = command.flags.first(where: { "--\($0.name)" == dashed }) else {
            let nearest = (command.flags.map { "--\($0.name)" } + ["--help"]).nearest(to: dashed)
            throw UsageFault("no such flag: \(dashed)" + (nearest.map { " (did you mean \($0)?)" } ?? ""))
        }
        let value: String
        if let equals {
            value = String(word[word.index(after: equals)...])
        } else if flag.placeholder == nil {
            value = rest.first.flatMap { ["true", "false"].contains($0) ? $0 : nil } ?? "true"
            if rest.first == value { rest.removeFirst() }
        } else if let next = rest.popFirst() {
            value = next
        } else {
            throw UsageFault("--\(flag.name) has no value")
        }
        let choices = flag.placeholder == nil ? ["true", "false"] : flag.choices
        guard choices.isEmpty || choices.contains(value) else {
            throw UsageFault("--\(flag.name): '\(value)'; allowed: \(choices.joined(separator: ", "))")
        }
        return (flag.name, value)
    }

    private static func check(_ arguments: [String], of command: Command) throws(UsageFault) {
        let least = command.arguments.count { $0.count == .one }
        if arguments.count < least { throw UsageFault("\(command.arguments[arguments.count].name) is missing") }
        let isOpen = command.arguments.last?.count == .any
        if arguments.count > command.arguments.count, !isOpen {
            throw UsageFault("unexpected argument '\(arguments[command.arguments.count])'")
        }
    }
}
