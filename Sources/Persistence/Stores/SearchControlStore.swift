// Whether a tenant's indexing goes on, and rebuilds of everything as far as they have come. Rules: HTTP contract, 7.10.

package import Domain

package struct SearchControl: Hashable, Sendable {
    package let isPaused: Bool
    package let reason: String?
    package let updatedBy: String
    package let updatedAt: Timestamp

    package init(isPaused: Bool, reason: String?, updatedBy: String, updatedAt: Timestamp) {
        self.isPaused = isPaused
        self.reason = reason
        self.updatedBy = updatedBy
        self.updatedAt = updatedAt
    }
}

package enum SearchControlStore {
    /// A condition: the tenant in that column is not paused.
    static func isRunning(for tenant: SQL) -> SQL {
        "NOT EXISTS (SELECT 1 FROM search_controls c WHERE c.tenant_id = \(tenant) AND c.paused)"
    }

    /// Nil where it was never set.
    package static func find(_ tenant: TenantID, _ transaction: borrowing Transaction) throws -> SearchControl? {
        try transaction.first(
            """
            SELECT paused, pause_reason, updated_by_subject, updated_at FROM search_controls
            WHERE tenant_id = \(tenant)
            """
        ) { row in
            SearchControl(isPaused: try row[0], reason: try row[1], updatedBy: try row[2], updatedAt: try row[3])
        }
    }

    package static func set(
        _ control: SearchControl, of tenant: TenantID, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO search_controls (tenant_id, paused, pause_reason, updated_by_subject, updated_at)
            VALUES (\(tenant), \(control.isPaused), \(control.reason), \(control.updatedBy), \(control.updatedAt))
            ON CONFLICT (tenant_id) DO UPDATE SET paused = excluded.paused, pause_reason = excluded.pause_reason,
                updated_by_subject = excluded.updated_by_subject, updated_at = excluded.updated_at
            """)
    }
}

/// A rebuild of everything: it requests a batch of jobs at a time, until there are no more versions.
package struct SearchRebuild: Hashable, Sendable {
    /// Of a version, the newest first.
    package struct Position: Hashable, Sendable {
        package let publishedAt: Timestamp
        package let version: VersionID

        package init(publishedAt: Timestamp, version: VersionID) {
            self.publishedAt = publishedAt
            self.version = version
        }
    }

    package let id: UniqueID
    package let tenant: TenantID
    /// Nil for all of the tenant's.
    package let repo: RepoID?
    package let batchSize: Int
    package let enqueued: Int
    package let position: Position?

    package init(
        id: UniqueID, tenant: TenantID, repo: RepoID?, batchSize: Int, enqueued: Int = 0, position: Position? = nil
    ) {
        self.id = id
        self.tenant = tenant
        self.repo = repo
        self.batchSize = batchSize
        self.enqueued = enqueued
        self.position = position
    }
}

package enum SearchRebuildStore {
    package static func insert(
        _ rebuild: SearchRebuild, by subject: Subject, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO search_rebuilds (rebuild_id, tenant_id, repo_id, status, batch_size, requested_by_subject,
                created_at, updated_at)
            VALUES (\(rebuild.id), \(rebuild.tenant), \(rebuild.repo), 'running', \(rebuild.batchSize), \(subject),
                \(now), \(now))
            """)
        transaction.notify(SearchJobStore.channel)
    }

    /// The oldest that runs and whose tenant is not paused, locked; one that a rival goes on with is passed by.
    package static func next(
        after rebuild: UniqueID?, _ transaction: borrowing Transaction
    ) throws -> SearchRebuild? {
        try transaction.first(
            """
            SELECT r.rebuild_id, r.tenant_id, r.repo_id, r.batch_size, r.enqueued_count, r.last_published_at,
                r.last_version_id
            FROM search_rebuilds r WHERE r.status = 'running' AND r.rebuild_id > \(rebuild ?? .zero)
                AND \(SearchControlStore.isRunning(for: "r.tenant_id"))
            ORDER BY r.rebuild_id LIMIT 1 \(.either(postgreSQL: "FOR UPDATE OF r SKIP LOCKED", sqlite: ""))
            """
        ) { row in
            var position: SearchRebuild.Position?
            if let time = try row[5] as Timestamp?, let version = try row[6] as VersionID? {
                position = SearchRebuild.Position(publishedAt: time, version: version)
            }
            return SearchRebuild(
                id: try row[0], tenant: try row[1], repo: try row[2], batchSize: try row[3], enqueued: try row[4],
                position: position)
        }
    }

    /// - Parameter isOver: whether there are no more versions.
    package static func advance(
        _ rebuild: SearchRebuild, by count: Int, to position: SearchRebuild.Position?, isOver: Bool,
        at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE search_rebuilds SET enqueued_count = enqueued_count + \(count),
                last_published_at = COALESCE(\(position?.publishedAt), last_published_at),
                last_version_id = COALESCE(\(position?.version), last_version_id),
                status = \(isOver ? "completed" : "running"), updated_at = \(now)
            WHERE rebuild_id = \(rebuild.id)
            """)
    }

    package static func cancel(
        of tenant: TenantID, in repository: RepoID?, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        let place: SQL = repository.map { "AND repo_id = \($0)" } ?? ""
        try transaction.execute(
            """
            UPDATE search_rebuilds SET status = 'cancelled', updated_at = \(now)
            WHERE tenant_id = \(tenant) AND status = 'running' \(place)
            """)
    }

    /// The newest.
    package static func latest(
        of tenant: TenantID, _ transaction: borrowing Transaction
    ) throws -> (status: String, enqueued: Int)? {
        try transaction.first(
            """
            SELECT status, enqueued_count FROM search_rebuilds WHERE tenant_id = \(tenant)
            ORDER BY created_at DESC, rebuild_id DESC LIMIT 1
            """, as: { (try $0[0] as String, try $0[1] as Int) })
    }
}
