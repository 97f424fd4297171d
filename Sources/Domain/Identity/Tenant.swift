// Everyone's home: rows of one tenant are invisible to another's callers. Rules: HTTP contract, 2.2 and section 9, row 22.

package typealias TenantID = Identifier<Tenant>

package struct Tenant: Hashable, Sendable {
    package let id: TenantID
    package let slug: TenantSlug
    /// For people.
    package let name: String
    package let createdAt: Timestamp
    /// Since when its tokens are worth nothing.
    package let disabledAt: Timestamp?

    package init(id: TenantID, slug: TenantSlug, name: String, createdAt: Timestamp, disabledAt: Timestamp? = nil) {
        self.id = id
        self.slug = slug
        self.name = name
        self.createdAt = createdAt
        self.disabledAt = disabledAt
    }
}

/// A tenant's name for machines: `[a-z0-9][a-z0-9-]{0,62}`.
package struct TenantSlug: Hashable, Sendable, CustomStringConvertible {
    private let slug: Name

    package var text: String { self.slug.text }

    /// Reads a slug; trimmed and lower-cased first.
    ///
    /// - Throws: `bad_request`.
    package init(parsing text: some StringProtocol) throws(Refusal) {
        let slug = text.trimmed.asciiLowercased
        let isAllowed = slug.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x61...0x7A, 0x2D: true
            default: false
            }
        }
        guard isAllowed, (1...63).contains(slug.utf8.count), !slug.startsWithBytes(of: "-") else {
            throw .badRequest("A tenant's slug has 1 to 63 of the characters a-z, 0-9 and '-', and no '-' in front.")
        }
        self.slug = Name(slug)
    }

    private init(known text: String) { self.slug = Name(text) }

    /// The one that is there from the start.
    package static let standard = TenantSlug(known: "default")

    package var description: String { self.text }
}
