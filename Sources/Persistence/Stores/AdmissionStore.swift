// What a tenant may use, and what it uses. Rules: HTTP contract, 7.5.

package import Domain

package struct AdmissionPolicy: Hashable, Sendable {
    /// In bytes.
    package let maxLogicalStorageBytes: Int
    package let maxConcurrentUploadSessions: Int
    package let maxPendingSearchJobs: Int

    package init(maxLogicalStorageBytes: Int, maxConcurrentUploadSessions: Int, maxPendingSearchJobs: Int) {
        self.maxLogicalStorageBytes = maxLogicalStorageBytes
        self.maxConcurrentUploadSessions = maxConcurrentUploadSessions
        self.maxPendingSearchJobs = maxPendingSearchJobs
    }
}

/// What a tenant's upload sessions use.
package struct UploadUsage: Hashable, Sendable {
    /// In bytes: of committed sessions that still point to a blob, and of open ones.
    package let logicalBytes: Int
    package let openSessions: Int

    package init(logicalBytes: Int, openSessions: Int) {
        (self.logicalBytes, self.openSessions) = (logicalBytes, openSessions)
    }
}

package enum AdmissionStore {
    /// - Returns: nil where the tenant has none of its own: the server's defaults hold.
    package static func policy(
        of tenant: TenantID, _ transaction: borrowing Transaction
    ) throws -> AdmissionPolicy? {
        try transaction.first(
            """
            SELECT max_logical_storage_bytes, max_concurrent_upload_sessions, max_pending_search_jobs
            FROM tenant_admission_policies WHERE tenant_id = \(tenant)
            """
        ) { row in
            AdmissionPolicy(
                maxLogicalStorageBytes: try row[0], maxConcurrentUploadSessions: try row[1],
                maxPendingSearchJobs: try row[2])
        }
    }

    /// One row, which triggers keep. Read after a write of the transaction's own it is exact: rivals wait for the row.
    package static func usage(of tenant: TenantID, _ transaction: borrowing Transaction) throws -> UploadUsage {
        let usage = try transaction.first(
            "SELECT logical_bytes, open_sessions FROM tenant_usage WHERE tenant_id = \(tenant)",
            as: { UploadUsage(logicalBytes: try $0[0], openSessions: try $0[1]) })
        return usage ?? UploadUsage(logicalBytes: 0, openSessions: 0)
    }
}
