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

    /// Of uploads: one row, which triggers keep. Read after a write of the transaction's own it is exact: rivals wait
    /// for the row.
    package static func usage(
        of tenant: TenantID, _ transaction: borrowing Transaction
    ) throws -> AdmissionUsage {
        let usage = try transaction.first(
            """
            SELECT COALESCE((SELECT logical_bytes FROM tenant_usage WHERE tenant_id = \(tenant)), 0),
                COALESCE((SELECT open_sessions FROM tenant_usage WHERE tenant_id = \(tenant)), 0),
                (SELECT COUNT(*) FROM search_index_jobs
                    WHERE tenant_id = \(tenant) AND status IN ('pending', 'processing'))
            """
        ) { row in
            AdmissionUsage(
                logicalStorageBytes: try row[0], activeUploadSessions: try row[1], pendingSearchJobs: try row[2])
        }
        guard let usage else { throw DatabaseFault.unreadable("a count gave no row") }
        return usage
    }
}
