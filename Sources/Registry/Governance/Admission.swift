// Tenants' quotas: shown, set, and asked before an upload begins. Rules: HTTP contract, 7.5.

package import Domain
package import Persistence
package import Threads

package struct Admission: Sendable {
    private let database: any Database
    private let clock: WallClock
    /// The configured quotas.
    package let standard: AdmissionPolicy

    package init(database: any Database, clock: WallClock, standard: AdmissionPolicy) {
        self.database = database
        self.clock = clock
        self.standard = standard
    }

    package var storage: StorageQuota { StorageQuota(standard: self.standard.maxLogicalStorageBytes) }

    /// What holds for a tenant: its own quotas, or the configured ones.
    package func policy(of tenant: TenantID, _ transaction: borrowing Transaction) throws -> AdmissionPolicy {
        try AdmissionStore.policy(of: tenant, transaction) ?? self.standard
    }

    package func show(under grant: TenantGrant) async throws -> (AdmissionPolicy, AdmissionUsage) {
        try await self.database.read { transaction in
            (
                try self.policy(of: grant.tenant, transaction),
                try AdmissionStore.usage(of: grant.tenant, transaction)
            )
        }
    }

    /// - Throws: `bad_request` for a quota out of bounds.
    package func set(
        bytes: Int64, sessions: Int64, jobs: Int64, under grant: TenantGrant, commit: Commit<AdmissionPolicy>
    ) async throws -> AdmissionPolicy {
        try Self.check(bytes, AdmissionPolicy.storageBounds, "maxLogicalStorageBytes")
        try Self.check(sessions, AdmissionPolicy.sessionBounds, "maxConcurrentUploadSessions")
        try Self.check(jobs, AdmissionPolicy.jobBounds, "maxPendingSearchJobs")
        return try await commit { [now = self.clock.now()] transaction in
            let policy = AdmissionPolicy(
                maxLogicalStorageBytes: bytes, maxConcurrentUploadSessions: sessions, maxPendingSearchJobs: jobs,
                updatedBy: grant.caller.subject.text, updatedAt: now)
            // Waits for transactions that were admitted under the former quotas.
            try AdmissionStore.lockSessions(of: grant.tenant, transaction)
            try AdmissionStore.lockBytes(of: grant.tenant, isLimited: true, transaction)
            try AdmissionStore.set(policy, of: grant.tenant, transaction)
            try AuditLog.append(
                AuditEntry(
                    "tenant.admission.policy.updated", on: "tenant_admission_policy", grant.tenant,
                    [
                        "maxLogicalStorageBytes": String(bytes), "maxConcurrentUploadSessions": String(sessions),
                        "maxPendingSearchJobs": String(jobs),
                    ]), by: grant.caller, at: now, transaction)
            return policy
        }
    }

    private static func check(_ value: Int64, _ bounds: ClosedRange<Int64>, _ name: String) throws(Refusal) {
        guard bounds.contains(value) else {
            let rule = bounds.upperBound == .max ? "at least \(bounds.lowerBound)" : "\(bounds)"
            throw .badRequest("\(name) must be \(rule.replacing("...", with: " to ")).")
        }
    }
}
