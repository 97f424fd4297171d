// The one place where a tenant's quota of bytes is verified, for every way in but upload sessions, which also count
// themselves (`Uploads`). Rules: HTTP contract, 7.5 and section 9, row 49.

package import Domain
package import Persistence

/// The quota of bytes of every tenant.
package struct StorageQuota: Sendable {
    /// Of tenants that have none of their own, in bytes.
    private let standard: Int64

    package init(standard: Int64) { self.standard = standard }

    /// No quota, unless a tenant has one of its own.
    package static let unset = StorageQuota(standard: AdmissionPolicy.largestDefault)

    /// Verifies what the transaction has added so far. Exact if a quota is set: rivals of the tenant wait from here on.
    /// Call it after all rows are written, with all locks held, and before events take their numbers.
    ///
    /// - Throws: `too_many_requests`.
    package func enforce(for tenant: TenantID, _ transaction: borrowing Transaction) throws {
        try AdmissionStore.lockBytes(
            of: tenant, isLimited: self.standard < AdmissionPolicy.largestDefault, transaction)
        try self.allowance(of: tenant, transaction).admit(0)
    }

    /// What is left for a body that is about to be received.
    package func allowance(
        of tenant: TenantID, _ transaction: borrowing Transaction
    ) throws -> StorageAllowance {
        try AdmissionStore.allowance(of: tenant, standard: self.standard, transaction)
    }
}
