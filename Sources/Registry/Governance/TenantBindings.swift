// Roles on the tenant. They are read with every token, so they act at once. Rules: HTTP contract, 7.1 and 7.3.

package import Domain
package import Persistence
package import Threads

package struct TenantBindings: Sendable {
    private let database: any Database
    private let clock: WallClock

    package init(database: any Database, clock: WallClock) {
        self.database = database
        self.clock = clock
    }

    /// By subject.
    package func list(under grant: TenantGrant) async throws -> [RoleBinding<TenantRole>] {
        try await self.database.lookup { try BindingStore.bindings(on: grant.tenant, $0) }
    }

    /// Replaces the subject's roles.
    package func bind(
        _ subject: Subject, to roles: [TenantRole], under grant: TenantGrant, commit: Commit<RoleBinding<TenantRole>>
    ) async throws -> RoleBinding<TenantRole> {
        try await commit { [now = self.clock.now()] transaction in
            let binding = RoleBinding(subject: subject, roles: roles, updatedAt: now)
            try BindingStore.bind(binding, on: grant.tenant, by: grant.caller.subject, transaction)
            try AuditLog.append(
                AuditEntry(
                    "tenant.role_binding.upserted", on: "tenant_role_binding", subject,
                    ["roles": roles.map(\.rawValue).joined(separator: ",")]), by: grant.caller, at: now, transaction)
            return binding
        }
    }

    /// - Returns: whether there was one; it is audited either way.
    package func unbind(_ subject: Subject, under grant: TenantGrant, commit: Commit<Bool>) async throws -> Bool {
        try await commit { [now = self.clock.now()] transaction in
            transaction.allowReserve()
            let isDeleted = try BindingStore.unbind(subject, on: grant.tenant, transaction)
            try AuditLog.append(
                AuditEntry("tenant.role_binding.deleted", on: "tenant_role_binding", subject), by: grant.caller,
                at: now, transaction)
            return isDeleted
        }
    }
}
