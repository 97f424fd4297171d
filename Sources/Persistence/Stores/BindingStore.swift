// Roles bound to subjects, on repositories and on the tenant. Rules: HTTP contract, 3.3, 7.3 and 7.4.

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
            self.roles(roles, of: Role.self).map { Scope($0, on: key) }
        }
    }

    package static func tenantRoles(
        of subject: Subject, in tenant: TenantID, _ transaction: borrowing Transaction
    ) throws -> [TenantRole] {
        let roles = try transaction.first(
            "SELECT roles FROM tenant_role_bindings WHERE tenant_id = \(tenant) AND subject = \(subject)",
            as: { try $0[0] as TextList })
        return roles.map { self.roles($0, of: TenantRole.self) } ?? []
    }

    /// Replaces the subject's roles on a repository.
    package static func bind(
        _ binding: RoleBinding<Role>, on repository: RepoID, by subject: Subject, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO repo_role_bindings (repo_id, subject, roles, updated_at, updated_by_subject)
            VALUES (\(repository), \(binding.subject), \(self.list(binding.roles)), \(binding.updatedAt), \(subject))
            ON CONFLICT (repo_id, subject) DO UPDATE SET roles = excluded.roles, updated_at = excluded.updated_at,
                updated_by_subject = excluded.updated_by_subject
            """)
    }

    /// By subject.
    package static func bindings(
        on repository: RepoID, _ transaction: borrowing Transaction
    ) throws -> [RoleBinding<Role>] {
        try transaction.all(
            "SELECT subject, roles, updated_at FROM repo_role_bindings WHERE repo_id = \(repository) ORDER BY subject",
            as: self.binding(row:))
    }

    /// - Returns: whether there was one.
    package static func unbind(
        _ subject: Subject, on repository: RepoID, _ transaction: borrowing Transaction
    ) throws -> Bool {
        try transaction.execute(
            "DELETE FROM repo_role_bindings WHERE repo_id = \(repository) AND subject = \(subject)") > 0
    }

    /// Replaces the subject's roles on the tenant.
    package static func bind(
        _ binding: RoleBinding<TenantRole>, on tenant: TenantID, by subject: Subject,
        _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO tenant_role_bindings (tenant_id, subject, roles, updated_at, updated_by_subject)
            VALUES (\(tenant), \(binding.subject), \(self.list(binding.roles)), \(binding.updatedAt), \(subject))
            ON CONFLICT (tenant_id, subject) DO UPDATE SET roles = excluded.roles, updated_at = excluded.updated_at,
                updated_by_subject = excluded.updated_by_subject
            """)
    }

    /// By subject.
    package static func bindings(
        on tenant: TenantID, _ transaction: borrowing Transaction
    ) throws -> [RoleBinding<TenantRole>] {
        try transaction.all(
            "SELECT subject, roles, updated_at FROM tenant_role_bindings WHERE tenant_id = \(tenant) ORDER BY subject",
            as: self.binding(row:))
    }

    /// - Returns: whether there was one.
    package static func unbind(
        _ subject: Subject, on tenant: TenantID, _ transaction: borrowing Transaction
    ) throws -> Bool {
        try transaction.execute(
            "DELETE FROM tenant_role_bindings WHERE tenant_id = \(tenant) AND subject = \(subject)") > 0
    }

    private static func binding<Kind: BindableRole>(row: borrowing Row) throws -> RoleBinding<Kind> {
        RoleBinding(
            subject: try row[0], roles: self.roles(try row[1] as TextList, of: Kind.self), updatedAt: try row[2])
    }

    /// A stored word that is no role any more gives nothing.
    private static func roles<Kind: BindableRole>(_ list: TextList, of kind: Kind.Type) -> [Kind] {
        list.texts.compactMap(Kind.init(rawValue:))
    }

    private static func list(_ roles: [some BindableRole]) -> TextList { TextList(roles.map(\.rawValue)) }
}
