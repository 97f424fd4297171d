// Versions that are to be indexed, one job each. Rules: HTTP contract, 4.3, 4.4, 6.3 and 7.10.

package import Domain

/// A job that a worker has claimed.
package struct SearchJob: Hashable, Sendable {
    package let id: UniqueID
    package let tenant: TenantID
    package let version: VersionID
    /// Failures so far.
    package let attempts: Int
}

package enum SearchJobStore {
    /// Who indexes listens here.
    package static let channel = Channel("search_jobs")

    /// Why a job failed: what its row says.
    package enum Failure: String, Sendable {
        case versionNotPublished = "version_not_published"
        case readFailed = "search_index_source_read_failed"
        case writeFailed = "search_index_write_failed"
    }

    /// A version's job: made, or begun anew whatever became of it.
    package static func request(_ version: VersionID, of tenant: TenantID, at now: Timestamp) -> SQL {
        """
        INSERT INTO search_index_jobs (job_id, tenant_id, version_id, status, available_at, created_at, updated_at)
        VALUES (\(UniqueID(at: now)), \(tenant), \(version), 'pending', \(now), \(now), \(now))
        ON CONFLICT (tenant_id, version_id) DO UPDATE SET status = 'pending', attempts = 0,
            available_at = excluded.available_at, last_error = NULL, updated_at = excluded.updated_at,
            lease_token = NULL
        """
    }

    /// Jobs that are due, the longest waiting first; where they do not fill the batch, also those whose worker has not
    /// been heard of for a lease's time. What a rival is claiming is passed by.
    package static func claim(
        _ lease: Lease, staleSince: Timestamp, maxAttempts: Int, at now: Timestamp, limit: Int,
        _ transaction: borrowing Transaction
    ) throws -> [SearchJob] {
        let lock: SQL = "\(.either(postgreSQL: "FOR UPDATE OF j SKIP LOCKED", sqlite: ""))"
        let isRunning = SearchControlStore.isRunning(for: "j.tenant_id")
        var jobs = try transaction.all(
            """
            SELECT \(self.columns) FROM search_index_jobs j
            WHERE j.status IN ('pending', 'failed') AND j.available_at <= \(now) AND j.attempts < \(maxAttempts)
                AND \(isRunning)
            ORDER BY j.available_at, j.created_at, j.job_id LIMIT \(limit) \(lock)
            """, as: self.job(row:))
        if jobs.count < limit {
            jobs += try transaction.all(
                """
                SELECT \(self.columns) FROM search_index_jobs j
                WHERE j.status = 'processing' AND j.updated_at < \(staleSince) AND j.attempts < \(maxAttempts)
                    AND \(isRunning)
                ORDER BY j.updated_at LIMIT \(limit - jobs.count) \(lock)
                """, as: self.job(row:))
        }
        try transaction.execute(each: jobs) { job in
            """
            UPDATE search_index_jobs SET status = 'processing', lease_token = \(lease.token), updated_at = \(now)
            WHERE job_id = \(job.id)
            """
        }
        return jobs
    }

    /// - Returns: false where the job is not the caller's any more: then nothing of this transaction may stand.
    package static func complete(
        _ job: SearchJob, under lease: Lease, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> Bool {
        try transaction.execute(
            """
            UPDATE search_index_jobs SET status = 'completed', last_error = NULL, lease_token = NULL,
                updated_at = \(now)
            WHERE job_id = \(job.id) AND status = 'processing' AND lease_token = \(lease.token)
            """) > 0
    }

    /// - Returns: false where the job is not the caller's any more.
    @discardableResult
    package static func fail(
        _ job: SearchJob, _ failure: Failure, retryAt: Timestamp, under lease: Lease, at now: Timestamp,
        _ transaction: borrowing Transaction
    ) throws -> Bool {
        try transaction.execute(
            """
            UPDATE search_index_jobs SET status = 'failed', attempts = attempts + 1, available_at = \(retryAt),
                last_error = \(failure.rawValue), lease_token = NULL, updated_at = \(now)
            WHERE job_id = \(job.id) AND status = 'processing' AND lease_token = \(lease.token)
            """) > 0
    }

    /// Requests the newest published versions, of a repository or of the tenant, behind a position.
    ///
    /// - Returns: how many, and where the last one stands.
    package static func requestNewest(
        of tenant: TenantID, in repository: RepoID?, after position: SearchRebuild.Position?, limit: Int,
        at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> (count: Int, last: SearchRebuild.Position?) {
        let place: SQL =
            if let repository { "v.repo_id = \(repository)" } else { "v.tenant_id = \(tenant)" }
        let start: SQL =
            position.map { "AND (v.published_at, v.version_id) < (\($0.publishedAt), \($0.version))" } ?? ""
        let found = try transaction.all(
            """
            SELECT v.version_id, v.published_at FROM package_versions v
            WHERE \(place) AND v.state = 'published' \(start)
            ORDER BY v.published_at DESC, v.version_id DESC LIMIT \(limit)
            """, as: { SearchRebuild.Position(publishedAt: try $0[1], version: try $0[0]) })
        // In one order, so that concurrent transactions cannot deadlock.
        try transaction.execute(each: found.map(\.version).sorted()) { self.request($0, of: tenant, at: now) }
        if !found.isEmpty { transaction.notify(self.channel) }
        return (found.count, found.last)
    }

    /// - Returns: how many were cancelled.
    package static func cancel(
        of tenant: TenantID, in repository: RepoID?, reason: String, at now: Timestamp,
        _ transaction: borrowing Transaction
    ) throws -> Int {
        try transaction.execute(
            """
            UPDATE search_index_jobs SET status = 'cancelled', last_error = \("cancelled:\(reason)"), updated_at = \(now)
            WHERE tenant_id = \(tenant) AND status IN ('pending', 'failed') \(self.isIn(repository))
            """)
    }

    /// Of the tenant's jobs, or of those of one repository.
    package static func counts(
        of tenant: TenantID, in repository: RepoID?, _ transaction: borrowing Transaction
    ) throws -> [String: Int] {
        let rows = try transaction.all(
            """
            SELECT status, COUNT(*) FROM search_index_jobs WHERE tenant_id = \(tenant) \(self.isIn(repository))
            GROUP BY status
            """, as: { (try $0[0] as String, try $0[1] as Int) })
        return Dictionary(rows) { $1 }
    }

    /// When the oldest due job, and the oldest one that is worked on, were so.
    package static func oldest(
        of tenant: TenantID, in repository: RepoID?, _ transaction: borrowing Transaction
    ) throws -> (ready: Timestamp?, processing: Timestamp?) {
        let times = try transaction.first(
            """
            SELECT (SELECT MIN(available_at) FROM search_index_jobs
                    WHERE tenant_id = \(tenant) AND status IN ('pending', 'failed') \(self.isIn(repository))),
                (SELECT MIN(updated_at) FROM search_index_jobs
                    WHERE tenant_id = \(tenant) AND status = 'processing' \(self.isIn(repository)))
            """, as: { (try $0[0] as Timestamp?, try $0[1] as Timestamp?) })
        return (times?.0, times?.1)
    }

    package static func stale(
        of tenant: TenantID, in repository: RepoID?, since time: Timestamp, _ transaction: borrowing Transaction
    ) throws -> Int {
        try transaction.first(
            """
            SELECT COUNT(*) FROM search_index_jobs
            WHERE tenant_id = \(tenant) AND status = 'processing' AND updated_at < \(time) \(self.isIn(repository))
            """, as: { try $0[0] as Int }) ?? 0
    }

    private static func isIn(_ repository: RepoID?) -> SQL {
        guard let repository else { return "" }
        return "AND version_id IN (SELECT v.version_id FROM package_versions v WHERE v.repo_id = \(repository))"
    }

    private static let columns: SQL = "j.job_id, j.tenant_id, j.version_id, j.attempts"

    private static func job(row: borrowing Row) throws -> SearchJob {
        SearchJob(id: try row[0], tenant: try row[1], version: try row[2], attempts: try row[3])
    }
}
