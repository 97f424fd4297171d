// Repositories: creating, showing, deleting them. Rules: HTTP contract, 3.3 and section 9, rows 7, 13 and 28.

package import Domain
package import Persistence
package import Threads

/// What a new repository is to be.
package struct RepositoryDraft: Hashable, Sendable {
    package let key: RepoKey
    package let kind: RepositoryKind
    package let format: String?
    package let settings: RepositorySettings

    package init(key: RepoKey, kind: RepositoryKind, format: String?, settings: RepositorySettings) {
        (self.key, self.kind, self.format, self.settings) = (key, kind, format, settings)
    }
}

package struct Repositories: Sendable {
    private let database: any Database
    private let clock: WallClock

    package init(database: any Database, clock: WallClock) { (self.database, self.clock) = (database, clock) }

    /// - Throws: `conflict` where the tenant has one of that key; as ``MemberGraph/check(_:madeOf:)``.
    package func create(
        _ draft: RepositoryDraft, under grant: TenantGrant, commit: Commit<Repository>
    ) async throws -> Repository {
        try await commit { [now = self.clock.now()] transaction in
            try Self.check(draft.kind, of: draft.key, in: grant.tenant, transaction)
            let repository = Repository(
                id: RepoID(at: now), tenant: grant.tenant, key: draft.key, kind: draft.kind, format: draft.format,
                settings: draft.settings, revision: 1, createdAt: now, updatedAt: now)
            guard try RepositoryStore.insert(repository, by: grant.caller.subject, transaction) else {
                throw Refusal.conflict("Repository '\(draft.key)' exists already.")
            }
            try AuditLog.append(
                AuditEntry("repo.created", on: "repo", draft.key, ["repoType": draft.kind.name]), by: grant.caller,
                at: now, transaction)
            return repository
        }
    }

    /// Those that the caller may read, by key.
    package func list(for caller: Caller) async throws -> [Repository] {
        try await self.database.lookup { try RepositoryStore.list(caller.tenant, $0) }
            .filter { caller.holds(.read, on: $0.key) }
    }

    /// - Throws: `not_found`.
    package func find(under grant: Grant) async throws -> Repository {
        try await self.database.lookup { try RepositoryStore.require(grant.repo, of: grant.tenant, $0) }
    }

    /// Replaces settings, and upstream or members; type and format stay.
    ///
    /// - Parameter condition: whether a revision is the one that the caller means to change.
    /// - Throws: `not_found`; `precondition_failed`; `bad_request` for another type; as
    ///   ``MemberGraph/check(_:madeOf:)``.
    package func update(
        to kind: RepositoryKind, settings: RepositorySettings, if condition: @escaping @Sendable (Repository) -> Bool,
        under grant: Grant, commit: Commit<Repository>
    ) async throws -> Repository {
        try await commit { [now = self.clock.now()] transaction in
            var repository = try RepositoryStore.require(
                grant.repo, of: grant.tenant, transaction, lock: .forNoKeyUpdate)
            guard condition(repository) else {
                throw Refusal(
                    .preconditionFailed, "The repository was changed meanwhile: read it again.",
                    ["revision": JSON(repository.revision)])
            }
            guard kind.name == repository.kind.name else {
                throw Refusal.badRequest("repoType of '\(grant.repo)' is '\(repository.kind.name)' and cannot change.")
            }
            try Self.check(kind, of: grant.repo, in: grant.tenant, transaction)
            (repository.kind, repository.settings) = (kind, settings)
            (repository.revision, repository.updatedAt) = (repository.revision + 1, now)
            try RepositoryStore.update(repository, transaction)
            try AuditLog.append(
                AuditEntry(
                    "repo.updated", on: "repo", grant.repo,
                    [
                        "repoType": kind.name, "revision": String(repository.revision),
                        "settings": settings.json.description, "upstreamUrl": kind.upstream ?? "",
                        "memberRepos": kind.members.map(\.text).joined(separator: ","),
                    ]), by: grant.caller, at: now, transaction)
            return repository
        }
    }

    private static func check(
        _ kind: RepositoryKind, of key: RepoKey, in tenant: TenantID, _ transaction: borrowing Transaction
    ) throws {
        guard case .virtual(let members) = kind else { return }
        try MemberGraph(RepositoryStore.members(in: tenant, transaction)).check(key, madeOf: members)
    }

    /// Its bindings and upload sessions go with it; blobs stay until the collection.
    ///
    /// - Throws: `not_found`; `conflict` where it holds a package.
    package func delete(under grant: Grant, commit: Commit<RepoKey>) async throws -> RepoKey {
        try await commit { [now = self.clock.now()] transaction in
            transaction.allowReserve()
            let repository = try RepositoryStore.require(grant.repo, of: grant.tenant, transaction, lock: .forUpdate)
            guard try !RepositoryStore.holdsPackages(repository.id, transaction) else {
                throw Refusal.conflict("Repository '\(grant.repo)' holds packages: it cannot be deleted.")
            }
            try RepositoryStore.delete(repository.id, transaction)
            try AuditLog.append(
                AuditEntry("repo.deleted", on: "repo", grant.repo), by: grant.caller, at: now, transaction)
            return grant.repo
        }
    }
}
