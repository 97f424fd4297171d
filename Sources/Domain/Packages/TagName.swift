// Tags and channels: names that point at a version and may be moved. Source: architecture, section 5.

/// 1 to 128 printable characters without blanks and `/`. Case counts.
package struct TagName: Hashable, Comparable, Sendable, CustomStringConvertible {
    private let name: Name

    package var text: String { self.name.text }

    /// - Throws: `bad_request`.
    package init(parsing text: some StringProtocol) throws(Refusal) {
        let name = text.trimmed
        let isAllowed = name.unicodeScalars.allSatisfy { scalar in
            !scalar.properties.isWhitespace && scalar != "/"
        }
        guard !name.isEmpty, name.utf8.count <= 128, isAllowed, !name.hasControlCharacter else {
            throw .badRequest("A tag must have 1 to 128 bytes, without blanks, '/' and control characters.")
        }
        self.name = Name(name)
    }

    package static func < (left: Self, right: Self) -> Bool { left.name < right.name }

    package var description: String { self.text }
}
