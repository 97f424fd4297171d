// A tenant's rules for issuing tokens. Rules: HTTP contract, 7.2 and section 9, rows 4 and 29.

package import Domain

package struct TokenPolicy: Hashable, Sendable {
    package let maxTTLMinutes: Int
    package let allowsBootstrapIssuance: Bool
    package let updatedBy: String
    package let updatedAt: Timestamp

    package init(maxTTLMinutes: Int, allowsBootstrapIssuance: Bool, updatedBy: String, updatedAt: Timestamp) {
        (self.maxTTLMinutes, self.allowsBootstrapIssuance) = (maxTTLMinutes, allowsBootstrapIssuance)
        (self.updatedBy, self.updatedAt) = (updatedBy, updatedAt)
    }
}

package enum TokenPolicyStore {
    package static func find(_ tenant: TenantID, _ transaction: borrowing Transaction) throws -> TokenPolicy? {
        try transaction.first(
            """
            SELECT max_ttl_minutes, allow_bootstrap_issuance, updated_by_subject, updated_at FROM pat_policies
            WHERE tenant_id = \(tenant)
            """
        ) { row in
            TokenPolicy(
                maxTTLMinutes: try row[0], allowsBootstrapIssuance: try row[1], updatedBy: try row[2],
                updatedAt: try row[3])
        }
    }
}
