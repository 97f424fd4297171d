// Indexing again what is published: the newest versions at once, or everything, a batch at a time. Rules: HTTP contract,
// 3.7 (rebuild), 7.5 and 7.10.

package import Domain
package import Persistence
package import Threads

/// What is to be indexed again.
package struct RebuildOrder: Hashable, Sendable {
    package static let standardBatch = 500
    package static let largestBatch = 5000

    /// Nil for all of the tenant's repositories.
    package let repo: RepoKey?
    package let batchSize: Int
    /// Whether the worker goes on behind the first batch until everything is indexed.
    package let isComplete: Bool
    /// Whether the index is made anew before, though it seems sound.
    package let recreates: Bool

    /// - Parameter batchSize: not positive for the usual one.
    /// - Throws: `bad_request` for a batch of more than 5000.
    package init(repo: RepoKey?, batchSize: Int64, isComplete: Bool, recreates: Bool) throws(Refusal) {
        guard batchSize <= Self.largestBatch else {
            throw .badRequest("batchSize must be at most \(Self.largestBatch).")
        }
        self.repo = repo
        self.batchSize = batchSize > 0 ? Int(batchSize) : Self.standardBatch
        self.isComplete = isComplete || recreates
        self.recreates = recreates
    }
}

package struct RebuildAnswer: Hashable, Sendable {
    package let repo: RepoKey?
    package let requestedBatch: Int
    package let effectiveBatch: Int
    package let enqueued: Int
    package let pendingAfter: Int
}

package struct SearchRebuilding: Sendable {
    private let database: any Database
    private let admission: Admission
    private let clock: WallClock

    package init(database: any Database, admission: Admission, clock: WallClock) {
        self.database = database
        self.admission = admission
        self.clock = clock
    }

    /// Requests the newest published versions to be indexed again, whatever became of their jobs; and, where the order
    /// is for everything, lets the worker go on behind them. An index that cannot be read is then made anew.
    ///
    /// - Throws: `not_found`; `conflict` while indexing is paused; `too_many_requests` where as many jobs wait as may.
    package func start(
        _ order: RebuildOrder, under grant: TenantGrant, commit: Commit<RebuildAnswer>
    ) async throws -> RebuildAnswer {
        var isRecreated = order.recreates
        if order.isComplete, !isRecreated { isRecreated = await self.isDamaged() }
        return try await commit { [now = self.clock.now(), admission, isRecreated] transaction in
            let repository = try order.repo.map { try RepositoryStore.require($0, of: grant.tenant, transaction).id }
            if let control = try SearchControlStore.find(grant.tenant, transaction), control.isPaused {
                throw Refusal.conflict("Indexing is paused: \(control.reason ?? "").")
            }
            let quota = try admission.policy(of: grant.tenant, transaction).maxPendingSearchJobs
            let pending = try AdmissionStore.usage(of: grant.tenant, transaction).pendingSearchJobs
            guard pending < quota else {
                throw Refusal(
                    .tooManyRequests, "The tenant has \(pending) search jobs waiting, as many as it may.",
                    ["limit": JSON(quota), "used": JSON(pending)])
            }
            let batch = min(order.batchSize, Int(quota - pending))
            if isRecreated { try Self.recreate(for: grant, at: now, transaction) }
            let (count, last) = try SearchJobStore.requestNewest(
                of: grant.tenant, in: repository, after: nil, limit: batch, at: now, transaction)
            if order.isComplete, count == batch {
                let rebuild = SearchRebuild(
                    id: UniqueID(at: now), tenant: grant.tenant, repo: repository, batchSize: order.batchSize)
                try SearchRebuildStore.insert(rebuild, by: grant.caller.subject, at: now, transaction)
                try SearchRebuildStore.advance(
                    rebuild, by: count, to: last, isOver: false, at: now, transaction)
            }
            let answer = RebuildAnswer(
                repo: order.repo, requestedBatch: order.batchSize, effectiveBatch: batch, enqueued: count,
                pendingAfter: Int(pending) + batch)
            try AuditLog.append(
                AuditEntry(
                    "search.rebuild.requested", on: "search_index", order.repo?.text ?? grant.tenant.description,
                    [
                        "repoKey": order.repo?.text ?? "*", "requestedBatchSize": String(answer.requestedBatch),
                        "effectiveBatchSize": String(answer.effectiveBatch),
                        "enqueuedCount": String(answer.enqueued),
                        "pendingJobsAfterEnqueue": String(answer.pendingAfter),
                        "all": String(order.isComplete), "recreated": String(isRecreated),
                    ]), by: grant.caller, at: now, transaction)
            return answer
        }
    }

    /// Goes on with rebuilds of everything, as far as quotas let it.
    ///
    /// - Returns: how many jobs were requested.
    @discardableResult
    package func advance() async throws -> Int {
        var (total, last): (Int, UniqueID?) = (0, nil)
        while true {
            let step = try await self.database.transaction {
                [now = self.clock.now(), admission, last] transaction -> (id: UniqueID, count: Int)? in
                guard let rebuild = try SearchRebuildStore.next(after: last, transaction) else { return nil }
                let quota = try admission.policy(of: rebuild.tenant, transaction).maxPendingSearchJobs
                let pending = try AdmissionStore.usage(of: rebuild.tenant, transaction).pendingSearchJobs
                let room = min(rebuild.batchSize, Int(quota - pending))
                guard room > 0 else { return (rebuild.id, 0) }
                let (count, position) = try SearchJobStore.requestNewest(
                    of: rebuild.tenant, in: rebuild.repo, after: rebuild.position, limit: room, at: now, transaction)
                try SearchRebuildStore.advance(
                    rebuild, by: count, to: position, isOver: count < room, at: now, transaction)
                return (rebuild.id, count)
            }
            guard let step else { return total }
            total += step.count
            last = step.id
        }
    }

    private func isDamaged() async -> Bool {
        do {
            try await self.database.read { try SearchIndexStore.check($0) }
            return false
        } catch DatabaseFault.other {
            return true
        } catch {
            return false  // the database itself: the rebuild will meet it too
        }
    }

    /// The index is one for all tenants: each of the others is indexed again too.
    private static func recreate(
        for grant: TenantGrant, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try SearchIndexStore.recreate(transaction)
        for tenant in try SearchIndexStore.tenants(transaction) where tenant != grant.tenant {
            try SearchRebuildStore.insert(
                SearchRebuild(
                    id: UniqueID(at: now), tenant: tenant, repo: nil, batchSize: RebuildOrder.standardBatch),
                by: .system, at: now, transaction)
        }
    }
}
