// Roles on a repository. They change no token already issued: they are what a token without scopes of its own is given.
// Rules: HTTP contract, 3.3 and 7.4.

package import Domain
package import Persistence
package import Threads

package struct RepositoryBindings: Sendable {
    private let database: any Database
    private let clock: WallClock

    package init(database: any Database, clock: WallClock) {
        self.database = database
        self.clock = clock
    }

    /// By subject.
    ///
    /// - Throws: `not_found` for the repository.
    package func list(under grant: Grant) async throws -> [RoleBinding<Role>] {
        try await self.database.read { transaction in
            let repository = try RepositoryStore.require(grant.repo, of: grant.tenant, transaction)
            return try BindingStore.bindings(on: repository.id, transaction)
        }
    }

    /// Replaces the subject's roles.
    ///
    /// - Throws: `not_found` for the repository.
    package func bind(
        _ subject: Subject, to roles: [Role], under grant: Grant, commit: Commit<RoleBinding<Role>>
    ) async throws -> RoleBinding<Role> {
        try await commit { [now = self.clock.now()] transaction in
            let repository = try RepositoryStore.require(
                grant.repo, of: grant.tenant, transaction, lock: .forKeyShare)
            let binding = RoleBinding(subject: subject, roles: roles, updatedAt: now)
            try BindingStore.bind(binding, on: repository.id, by: grant.caller.subject, transaction)
            try AuditLog.append(
                AuditEntry(
                    "repo.binding.upserted", on: "repo_binding", "\(grant.repo):\(subject)",
                    ["roles": roles.map(\.rawValue).joined(separator: ",")]), by: grant.caller, at: now, transaction)
            return binding
        }
    }

    /// - Returns: whether there was one; it is audited either way.
    /// - Throws: `not_found` for the repository.
    package func unbind(_ subject: Subject, under grant: Grant, commit: Commit<Bool>) async throws -> Bool {
        try await commit { [now = self.clock.now()] transaction in
            transaction.allowReserve()
            let repository = try RepositoryStore.require(
                grant.repo, of: grant.tenant, transaction, lock: .forKeyShare)
            let isDeleted = try BindingStore.unbind(subject, on: repository.id, transaction)
            try AuditLog.append(
                AuditEntry("repo.binding.deleted", on: "repo_binding", "\(grant.repo):\(subject)"),
                by: grant.caller, at: now, transaction)
            return isDeleted
        }
    }
}
