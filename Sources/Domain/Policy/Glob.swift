// Patterns in policy rules.

/// A pattern over a whole text: `*` stands for any characters, none included, and `?` for any one.
package struct Glob: Hashable, Sendable, CustomStringConvertible {
    /// In bytes of UTF-8.
    package static let limit = 256

    private let scalars: [Unicode.Scalar]

    /// - Parameter text: the empty pattern is for the empty text.
    /// - Returns: nil for a pattern that is too long or has a control character.
    package init?(_ text: String) {
        guard text.utf8.count <= Self.limit, !text.hasControlCharacter else { return nil }
        self.scalars = Array(text.unicodeScalars)
    }

    private init(scalars: [Unicode.Scalar]) { self.scalars = scalars }

    package var description: String { String(String.UnicodeScalarView(self.scalars)) }

    /// The same pattern for texts in lower case.
    package var lowercased: Glob { Glob(scalars: Array(self.description.lowercased().unicodeScalars)) }

    /// Takes at most as many steps as the product of both lengths: only the last `*` is ever tried again, which is
    /// enough, since an earlier one cannot take more than what lies before it.
    package func matches(_ text: String) -> Bool {
        let text = Array(text.unicodeScalars)
        var (here, there) = (0, 0)
        var star: (here: Int, there: Int)?
        while there < text.count {
            if here < self.scalars.count, self.scalars[here] == "*" {
                star = (here, there)
                here += 1
            } else if here < self.scalars.count, self.scalars[here] == "?" || self.scalars[here] == text[there] {
                (here, there) = (here + 1, there + 1)
            } else if let (last, taken) = star {
                star = (last, taken + 1)
                (here, there) = (last + 1, taken + 1)
            } else {
                return false
            }
        }
        return self.scalars[here...].allSatisfy { $0 == "*" }
    }
}
