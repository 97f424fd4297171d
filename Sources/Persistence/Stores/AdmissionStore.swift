// Tenants' quotas and what they use of them. Rules: HTTP contract, 7.5.

package import Domain

package enum AdmissionStore {
    /// A tenant's own quotas; nil where the configured ones hold.
    package static func policy(
        of tenant: TenantID, _ transaction: borrowing Transaction
    ) throws -> AdmissionPolicy? {
        try transaction.first(
            """
            SELECT max_logical_storage_bytes, max_concurrent_upload_sessions, max_pending_search_jobs,
                updated_by_subject, updated_at
            FROM tenant_admission_policies WHERE tenant_id = \(tenant)
            """
        ) { row in
            AdmissionPolicy(
                maxLogicalStorageBytes: try row[0], maxConcurrentUploadSessions: try row[1],
                maxPendingSearchJobs: try row[2], updatedBy: try row[3], updatedAt: try row[4])
        }
    }

    package static func set(
        _ policy: AdmissionPolicy, of tenant: TenantID, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO tenant_admission_policies (tenant_id, max_logical_storage_bytes,
                max_concurrent_upload_sessions, max_pending_search_jobs, updated_by_subject, updated_at)
            VALUES (\(tenant), \(policy.maxLogicalStorageBytes), \(policy.maxConcurrentUploadSessions),
                \(policy.maxPendingSearchJobs), \(policy.updatedBy), \(policy.updatedAt))
            ON CONFLICT (tenant_id) DO UPDATE SET
                max_logical_storage_bytes = excluded.max_logical_storage_bytes,
                max_concurrent_upload_sessions = excluded.max_concurrent_upload_sessions,
                max_pending_search_jobs = excluded.max_pending_search_jobs,
                updated_by_subject = excluded.updated_by_subject, updated_at = excluded.updated_at
            """)
    }

    /// Verifying a quota takes two steps in a transaction that has already written its rows: lock, then read. Lock
    /// order: repositories, packages, versions, blobs; sessions; bytes; numbers of events.
    ///
    /// With `isLimited`, or if the tenant has quotas of its own, one transaction of the tenant at a time passes, until it
    /// ends. Otherwise transactions share the lock, and only a change of the quotas waits for them.
    package static func lockBytes(
        of tenant: TenantID, isLimited: Bool, _ transaction: borrowing Transaction
    ) throws {
        guard transaction.dialect == .postgreSQL else { return }  // one writer
        try transaction.execute("SELECT lock_tenant_quota(\(tenant), \(isLimited))")
    }

    /// One transaction of the tenant at a time opens a session.
    package static func lockSessions(of tenant: TenantID, _ transaction: borrowing Transaction) throws {
        guard transaction.dialect == .postgreSQL else { return }
        try transaction.execute("SELECT lock_tenant_sessions(\(tenant))")
    }

    /// Bytes, which triggers count: a few rows, whatever the tenant has.
    ///
    /// - Parameter standard: the quota if the tenant has none of its own, in bytes.
    package static func allowance(
        of tenant: TenantID, standard: Int64, _ transaction: borrowing Transaction
    ) throws -> StorageAllowance {
        let allowance = try transaction.first(
            """
            SELECT (SELECT max_logical_storage_bytes FROM tenant_admission_policies WHERE tenant_id = \(tenant)),
                CAST(COALESCE(SUM(logical_bytes), 0) AS bigint)
            FROM tenant_usage_slots WHERE tenant_id = \(tenant)
            """
        ) { row in StorageAllowance(limit: try row[0] as Int64? ?? standard, used: try row[1]) }
        guard let allowance else { throw DatabaseFault.unreadable("a sum gave no row") }
        return allowance
    }

    /// Everything that quotas are about. Triggers count bytes and sessions.
    package static func usage(
        of tenant: TenantID, _ transaction: borrowing Transaction
    ) throws -> AdmissionUsage {
        let usage = try transaction.first(
            """
            SELECT CAST(COALESCE(SUM(logical_bytes), 0) AS bigint), CAST(COALESCE(SUM(open_sessions), 0) AS bigint),
                (SELECT COUNT(*) FROM search_index_jobs
                    WHERE tenant_id = \(tenant) AND status IN ('pending', 'processing'))
            FROM tenant_usage_slots WHERE tenant_id = \(tenant)
            """
        ) { row in
            AdmissionUsage(
                logicalStorageBytes: try row[0], activeUploadSessions: try row[1], pendingSearchJobs: try row[2])
        }
        guard let usage else { throw DatabaseFault.unreadable("a sum gave no row") }
        return usage
    }
}
