// Who acts. Rules: HTTP contract, 1.4 and section 9, row 9.

/// The name of a person or a machine: trimmed, lower case, not blank, at most 256 bytes, no control character.
package struct Subject: Hashable, Comparable, Sendable, CustomStringConvertible {
    private let name: Name

    package var text: String { self.name.text }

    package init(parsing text: String) throws(Refusal) {
        let name = text.trimmed.lowercasedName
        guard !name.isEmpty else { throw .badRequest("subject is required.") }
        guard name.utf8.count <= 256, !name.hasControlCharacter else {
            throw .badRequest("subject must have at most 256 bytes and no control characters.")
        }
        self.name = Name(name)
    }

    private init(known text: String) { self.name = Name(text) }

    /// A subject as it was stored. Earlier versions allowed characters that a new one may not have.
    package init(stored text: String) { self.name = Name(text) }

    /// Who presents the bootstrap token.
    package static let bootstrap = Subject(known: "bootstrap")
    /// Who presents nothing.
    package static let anonymous = Subject(known: "anonymous")
    /// The administrator at the machine itself, on the command line.
    package static let local = Subject(known: "local-administrator")
    /// The server's own background work.
    package static let system = Subject(known: "system")

    package static func < (left: Self, right: Self) -> Bool { left.name < right.name }

    package var description: String { self.text }
}
