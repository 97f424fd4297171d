// Roles bound to subjects, on repositories and on the tenant. Rules: HTTP contract, 3.3 and 7.3.

package import Domain

package enum BindingStore {
    /// One scope for each role that the subject is bound to on a repository of the tenant.
    package static func scopes(
        of subject: Subject, in tenant: TenantID, _ transaction: borrowing Transaction
    ) throws -> [Scope] {
        let bindings = try transaction.all(
            """
            SELECT r.repo_key, b.roles FROM repo_role_bindings b JOIN repos r ON r.repo_id = b.repo_id
            WHERE r.tenant_id = \(tenant) AND b.subject = \(subject) ORDER BY r.repo_key
            """, as: { (try $0[0] as RepoKey, try $0[1] as TextList) })
        return bindings.flatMap { key, roles in
            roles.texts.compactMap(Role.init(rawValue:)).map { Scope($0, on: key) }
        }
    }

    package static func tenantRoles(
        of subject: Subject, in tenant: TenantID, _ transaction: borrowing Transaction
    ) throws -> [TenantRole] {
        let roles = try transaction.first(
            "SELECT roles FROM tenant_role_bindings WHERE tenant_id = \(tenant) AND subject = \(subject)",
            as: { try $0[0] as TextList })
        return roles?.texts.compactMap(TenantRole.init(rawValue:)) ?? []
    }
}
