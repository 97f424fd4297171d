// Entity tags and what is asked of them. Rules: RFC 9110, 8.8.3 and 13.1.

import Domain

/// A strong entity tag, without its quotes.
package struct EntityTag: Hashable, Sendable, CustomStringConvertible {
    package let opaque: String

    package init(_ opaque: String) { self.opaque = opaque }

    /// With its quotes, as it stands in a header.
    package var description: String { "\"\(self.opaque)\"" }

    /// Whether an `If-None-Match` list has this tag (weak comparison) or `*`.
    package func isNamed(byIfNoneMatch header: String) -> Bool {
        Self.list(header).contains {
            $0 == "*" || $0.hasSameBytes(as: self.description) || $0.hasSameBytes(as: "W/\(self)")
        }
    }

    /// Whether an `If-Match` list has this tag (strong comparison) or `*`.
    package func isNamed(byIfMatch header: String) -> Bool {
        Self.list(header).contains { $0 == "*" || $0.hasSameBytes(as: self.description) }
    }

    private static func list(_ header: String) -> [String] { header.parts(at: ",").map(\.trimmed) }
}
