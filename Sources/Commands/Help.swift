// The text of `--help`, from the declarations.

enum Help {
    /// Of a program, or a group of verbs.
    static func group(_ path: String, _ summary: String, _ verbs: [Command]) -> String {
        let rows = verbs.map { ($0.name, $0.summary) }
        return "\(summary)\n\nUsage: \(path) VERB [--flag VALUE]...\n\nVerbs:\n\(Self.table(rows))\n"
            + "'\(path) VERB --help' tells a verb's flags.\n"
    }

    static func verb(_ path: String, _ command: Command) -> String {
        var usage = path
        if !command.flags.isEmpty { usage += " [--flag VALUE]..." }
        for argument in command.arguments {
            switch argument.count {
            case .one: usage += " \(argument.name)"
            case .optional: usage += " [\(argument.name)]"
            case .any: usage += " [\(argument.name)]..."
            }
        }
        var text = "\(command.summary)\n\nUsage: \(usage)\n"
        if let details = command.details { text += "\n\(details)\n" }
        if !command.arguments.isEmpty {
            text += "\nArguments:\n\(Self.table(command.arguments.map { ($0.name, $0.summary) }))"
        }
        var sections: [String] = []
        for flag in command.flags where !sections.contains(flag.section) { sections.append(flag.section) }
        for section in sections {
            let rows = command.flags.filter { $0.section == section }.map { flag in
                ("--\(flag.name)" + (flag.placeholder.map { " \($0)" } ?? ""), flag.summary)
            }
            text += "\n\(section):\n\(Self.table(rows))"
        }
        return text
    }

    /// Two columns; the second on a line of its own where the first is long.
    private static func table(_ rows: [(String, String)]) -> String {
        let width = min(rows.map(\.0.count).max() ?? 0, 32)
        return rows.map { name, summary in
            let gap =
                name.count <= width
                ? String(repeating: " ", count: width - name.count) : "\n  " + String(repeating: " ", count: width)
            return "  \(name)\(gap)  \(summary)\n"
        }.joined()
    }
}
