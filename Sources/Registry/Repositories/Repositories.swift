// Repositories: creating, showing, changing and deleting them.

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
        self.key = key
        self.kind = kind
        self.format = format
        self.settings = settings
    }
}

package struct Repositories: Sendable {
    private let database: any Database
    private let clock: WallClock

    package init(database: any Database, clock: WallClock) {
        self.database = database
        self.clock = clock
    }

    /// - Throws: `conflict` if the tenant has one of that key; as ``Membership/change(_:to:_:by:)``.
    package func create(
        _ draft: RepositoryDraft, under grant: TenantGrant, commit: Commit<Repository>
    ) async throws -> Repository {
        try await commit { [now = self.clock.now()] transaction in
            try draft.settings.check(for: draft.kind)
            var membership: Membership?
            if case .virtual = draft.kind { membership = try Membership(of: grant.tenant, transaction) }
            try membership?.change(draft.key, to: draft.kind, draft.settings, by: grant.caller)
            let repository = Repository(
                id: RepoID(at: now), tenant: grant.tenant, key: draft.key, kind: draft.kind, format: draft.format,
                settings: draft.settings, revision: 1, createdAt: now, updatedAt: now)
            guard try RepositoryStore.insert(repository, by: grant.caller.subject, transaction) else {
                throw Refusal.conflict("Repository '\(draft.key)' exists already.")
            }
            try membership?.store(repository, transaction)
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
    ///   ``Membership/change(_:to:_:by:)``.
    package func update(
        to kind: RepositoryKind, settings: RepositorySettings, if condition: @escaping @Sendable (Repository) -> Bool,
        under grant: Grant, commit: Commit<Repository>
    ) async throws -> Repository {
        try await commit { [now = self.clock.now()] transaction in
            var membership: Membership?
            if case .virtual = kind { membership = try Membership(of: grant.tenant, transaction) }
            var repository = try RepositoryStore.require(
                grant.repo, of: grant.tenant, transaction, lock: .forNoKeyUpdate)
            guard condition(repository) else {
                throw Refusal(
                    .preconditionFailed, "The repository was changed by another request: read it again.",
                    ["revision": JSON(repository.revision)])
            }
            guard kind.name == repository.kind.name else {
                throw Refusal.badRequest("repoType of '\(grant.repo)' is '\(repository.kind.name)' and cannot change.")
            }
            try settings.check(for: kind)
            try membership?.change(grant.repo, to: kind, settings, by: grant.caller)
            repository.kind = kind
            repository.settings = settings
            try Self.update(&repository, by: grant.caller, at: now, transaction)
            try membership?.store(repository, transaction)
            return repository
        }
    }

    /// Stores kind and settings as the next revision.
    private static func update(
        _ repository: inout Repository, by caller: Caller, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        repository.revision += 1
        repository.updatedAt = now
        try RepositoryStore.update(repository, transaction)
        let kind = repository.kind
        try AuditLog.append(
            AuditEntry(
                "repo.updated", on: "repo", repository.key,
                [
                    "repoType": kind.name, "revision": String(repository.revision),
                    "settings": repository.settings.json.description, "upstreamUrl": kind.upstream ?? "",
                    "memberRepos": kind.members.map(\.text).joined(separator: ","),
                ]), by: caller, at: now, transaction)
    }

    /// Its bindings and upload sessions go with it; blobs stay until the collection. Virtual repositories lose it as a
    /// member.
    ///
    /// - Throws: `not_found`; `conflict` if it holds a package.
    package func delete(under grant: Grant, commit: Commit<RepoKey>) async throws -> RepoKey {
        try await commit { [now = self.clock.now()] transaction in
            transaction.allowReserve()
            var membership = try Membership(of: grant.tenant, transaction)
            let repository = try RepositoryStore.require(grant.repo, of: grant.tenant, transaction, lock: .forUpdate)
            guard try !RepositoryStore.holdsPackages(repository.id, transaction) else {
                throw Refusal.conflict("Repository '\(grant.repo)' holds packages: it cannot be deleted.")
            }
            try RepositoryStore.delete(repository.id, transaction)
            for key in membership.remove(grant.repo) {
                var container = try RepositoryStore.require(
                    key, of: grant.tenant, transaction, lock: .forNoKeyUpdate)
                if container.lose(grant.repo) {
                    try Self.update(&container, by: grant.caller, at: now, transaction)
                }
                try membership.store(container, transaction)
            }
            try AuditLog.append(
                AuditEntry("repo.deleted", on: "repo", grant.repo), by: grant.caller, at: now, transaction)
            return grant.repo
        }
    }
}

extension Repository {
    /// Takes a repository that is deleted out of members and settings.
    ///
    /// - Returns: whether anything changed.
    fileprivate mutating func lose(_ key: RepoKey) -> Bool {
        var changed = false
        if self.kind.members.contains(key) {
            self.kind = .virtual(members: self.kind.members.filter { $0 != key })
            changed = true
        }
        if self.settings.deployTo == key {
            self.settings.deployTo = nil
            changed = true
        }
        return changed
    }
}
