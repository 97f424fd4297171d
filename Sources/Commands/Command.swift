// How a program's verbs are declared. Parsing, usage errors and `--help` follow from the declarations.

/// A verb, or a group of verbs.
package struct Command: Sendable {
    package enum Work: Sendable {
        case run(@Sendable (Invocation) async throws -> Void)
        case verbs([Command])
    }

    package let name: String
    /// One line.
    package let summary: String
    /// Further lines of its help.
    package let details: String?
    package let flags: [Flag]
    package let arguments: [Argument]
    package let work: Work

    /// - Parameter run: what it throws is printed on one line, and the exit code is 1 (2 for `UsageFault`).
    package init(
        name: String, summary: String, details: String? = nil, flags: [Flag] = [], arguments: [Argument] = [],
        run: @escaping @Sendable (Invocation) async throws -> Void
    ) {
        self.name = name
        self.summary = summary
        self.details = details
        self.flags = flags
        self.arguments = arguments
        self.work = .run(run)
    }

    package init(name: String, summary: String, details: String? = nil, verbs: [Command]) {
        self.name = name
        self.summary = summary
        self.details = details
        self.flags = []
        self.arguments = []
        self.work = .verbs(verbs)
    }
}

/// `--name VALUE` or `--name=VALUE`; a switch stands alone, or has `true` or `false`.
package struct Flag: Sendable {
    /// Without dashes.
    package let name: String
    /// What stands for the value in the help; nil for a switch.
    package let placeholder: String?
    package let summary: String
    /// The only values allowed; empty for any.
    package let choices: [String]
    /// The heading under which the help lists it.
    package let section: String

    /// - Parameter placeholder: nil for a switch.
    package init(
        _ name: String, _ placeholder: String?, _ summary: String, choices: [String] = [], section: String = "Flags"
    ) {
        self.name = name
        self.placeholder = placeholder
        self.summary = summary
        self.choices = choices
        self.section = section
    }

    /// A switch.
    package init(_ name: String, _ summary: String) { self.init(name, nil, summary) }

    /// For verbs that can answer in JSON: `invocation.wantsJSON`.
    package static let output = Flag("output", "FORMAT", "text or json.", choices: ["text", "json"])
}

/// A word that is no flag.
package struct Argument: Sendable {
    package enum Count: Sendable { case one, optional, any }

    package let name: String
    package let summary: String
    package let count: Count

    /// - Parameter count: only the last argument may be other than `.one`.
    package init(_ name: String, _ summary: String, _ count: Count = .one) {
        self.name = name
        self.summary = summary
        self.count = count
    }
}
