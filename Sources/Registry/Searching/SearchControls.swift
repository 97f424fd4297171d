// Pausing, resuming and canceling a tenant's indexing, and how far it is. Rules: HTTP contract, 7.10.

package import Domain
package import Persistence
package import Threads

package struct SearchCancellation: Hashable, Sendable {
    package let repo: RepoKey?
    package let reason: String
    package let cancelled: Int
    package let processing: Int
    package let remainingPending: Int
    package let remainingFailed: Int
}

package struct SearchStatus: Sendable {
    package let repo: RepoKey?
    package let control: SearchControl
    /// Jobs, by status.
    package let jobs: [String: Int]
    /// In seconds.
    package let oldestReadyAge: Int64
    package let oldestProcessingAge: Int64
    package let staleProcessing: Int
    package let freshness: SearchStore.Freshness
    package let checkedAt: Timestamp
    /// The newest rebuild of everything; nil for none.
    package let rebuild: (status: String, enqueued: Int)?
}

package struct SearchControls: Sendable {
    private let database: any Database
    private let clock: WallClock
    /// In seconds.
    private let lease: Int64

    /// - Parameter lease: in seconds: how long a worker may be silent about a job.
    package init(database: any Database, clock: WallClock, lease: Int) {
        self.database = database
        self.clock = clock
        self.lease = Int64(lease)
    }

    package func pause(
        because reason: String, under grant: TenantGrant, commit: Commit<SearchControl>
    ) async throws -> SearchControl {
        try await self.set(
            isPaused: true, reason: reason,
            AuditEntry(
                "search.control.paused", on: "search_index", grant.tenant, ["reason": reason]), under: grant,
            commit: commit)
    }

    package func resume(under grant: TenantGrant, commit: Commit<SearchControl>) async throws -> SearchControl {
        try await self.set(
            isPaused: false, reason: nil, AuditEntry("search.control.resumed", on: "search_index", grant.tenant),
            under: grant, commit: commit)
    }

    private func set(
        isPaused: Bool, reason: String?, _ entry: AuditEntry, under grant: TenantGrant, commit: Commit<SearchControl>
    ) async throws -> SearchControl {
        try await commit { [now = self.clock.now()] transaction in
            let control = SearchControl(
                isPaused: isPaused, reason: reason, updatedBy: grant.caller.subject.text, updatedAt: now)
            try SearchControlStore.set(control, of: grant.tenant, transaction)
            try AuditLog.append(entry, by: grant.caller, at: now, transaction)
            if !isPaused { transaction.notify(SearchJobStore.channel) }
            return control
        }
    }

    /// Cancels what waits or has failed, and rebuilds that are under way.
    ///
    /// - Throws: `not_found`.
    package func cancel(
        in repo: RepoKey?, because reason: String, under grant: TenantGrant, commit: Commit<SearchCancellation>
    ) async throws -> SearchCancellation {
        try await commit { [now = self.clock.now()] transaction in
            let repository = try repo.map { try RepositoryStore.require($0, of: grant.tenant, transaction).id }
            try SearchRebuildStore.cancel(of: grant.tenant, in: repository, at: now, transaction)
            let count = try SearchJobStore.cancel(
                of: grant.tenant, in: repository, reason: reason, at: now, transaction)
            let left = try SearchJobStore.counts(of: grant.tenant, in: repository, transaction)
            try AuditLog.append(
                AuditEntry(
                    "search.control.cancelled", on: "search_index", repo?.text ?? grant.tenant.description,
                    ["repoKey": repo?.text ?? "*", "reason": reason, "cancelledCount": String(count)]),
                by: grant.caller, at: now, transaction)
            return SearchCancellation(
                repo: repo, reason: reason, cancelled: count, processing: left["processing"] ?? 0,
                remainingPending: left["pending"] ?? 0, remainingFailed: left["failed"] ?? 0)
        }
    }

    /// - Throws: `not_found`.
    package func status(of repo: RepoKey?, under grant: TenantGrant) async throws -> SearchStatus {
        try await self.database.read { [now = self.clock.now(), lease] transaction in
            let repository = try repo.map { try RepositoryStore.require($0, of: grant.tenant, transaction).id }
            let oldest = try SearchJobStore.oldest(of: grant.tenant, in: repository, transaction)
            func age(_ time: Timestamp?) -> Int64 { time.map { max(0, Timestamp.seconds(from: $0, to: now)) } ?? 0 }
            return SearchStatus(
                repo: repo,
                control: try SearchControlStore.find(grant.tenant, transaction)
                    ?? SearchControl(isPaused: false, reason: nil, updatedBy: "system", updatedAt: now),
                jobs: try SearchJobStore.counts(of: grant.tenant, in: repository, transaction),
                oldestReadyAge: age(oldest.ready), oldestProcessingAge: age(oldest.processing),
                staleProcessing: try SearchJobStore.stale(
                    of: grant.tenant, in: repository, since: now + -lease, transaction),
                freshness: try SearchStore.freshness(of: grant.tenant, in: repository, transaction), checkedAt: now,
                rebuild: try SearchRebuildStore.latest(of: grant.tenant, transaction))
        }
    }
}
