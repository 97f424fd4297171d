// Roles that a subject has on a repository, or on the tenant, whichever token it presents later. Rules: HTTP contract,
// 3.3 and 7.3.

package struct RoleBinding<RoleKind: BindableRole>: Hashable, Sendable {
    package let subject: Subject
    /// Each once, in the order of their kind; at least one.
    package let roles: [RoleKind]
    package let updatedAt: Timestamp

    package init(subject: Subject, roles: [RoleKind], updatedAt: Timestamp) {
        self.subject = subject
        self.roles = roles
        self.updatedAt = updatedAt
    }
}

/// A kind of role that subjects are bound to. Its cases stand in the order in which they are listed.
package protocol BindableRole: CaseIterable, Hashable, Sendable, RawRepresentable where RawValue == String {
    init(parsing text: String) throws(Refusal)
}

extension Role: BindableRole {}
extension TenantRole: BindableRole {}

extension BindableRole {
    /// Reads a list of roles: each once, in the order of listing.
    ///
    /// - Throws: `bad_request` for a word that is no role, and for an empty list.
    package static func list(parsing texts: [String]) throws(Refusal) -> [Self] {
        var roles: Set<Self> = []
        for text in texts { roles.insert(try Self(parsing: text)) }
        guard !roles.isEmpty else { throw .badRequest("roles must name at least one role.") }
        return self.allCases.filter(roles.contains)
    }
}
