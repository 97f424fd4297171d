// The name of a repository within its tenant. Rules: HTTP contract, 1.4, 3.3 and section 9, row 13.

/// `[a-z0-9][a-z0-9._-]{0,127}`.
package struct RepoKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    private let key: Name

    package var text: String { self.key.text }

    /// Reads a key; trimmed and lower-cased first.
    package init(parsing text: some StringProtocol) throws(Refusal) { try self.init(parsing: String(text)) }

    package init(parsing text: String) throws(Refusal) {
        var key = text.trimmed
        if !key.utf8.allSatisfy(Self.isAllowed) { key = key.asciiLowercased }
        guard !key.isEmpty else { throw .badRequest("repoKey is required.") }
        guard !key.utf8.contains(UInt8(ascii: ":")) else { throw .badRequest("repoKey cannot contain ':'.") }
        guard key.utf8.count <= 128, key.utf8.allSatisfy(Self.isAllowed), let first = key.utf8.first,
            ![UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")].contains(first)
        else {
            throw .badRequest(
                "repoKey must have 1 to 128 of the characters a-z, 0-9, '.', '_' and '-', and begin with a letter or "
                    + "a digit.")
        }
        self.key = Name(key)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    package static func < (left: Self, right: Self) -> Bool { left.key < right.key }

    package var description: String { self.text }
}
