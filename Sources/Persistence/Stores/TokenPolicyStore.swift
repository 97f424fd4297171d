// Tenants' rules for issuing tokens, where they have some of their own.

package import Domain

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

    package static func set(
        _ policy: TokenPolicy, of tenant: TenantID, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO pat_policies
                (tenant_id, max_ttl_minutes, allow_bootstrap_issuance, updated_by_subject, updated_at)
            VALUES (\(tenant), \(policy.maxTTLMinutes), \(policy.allowsBootstrapIssuance), \(policy.updatedBy),
                \(policy.updatedAt))
            ON CONFLICT (tenant_id) DO UPDATE SET max_ttl_minutes = excluded.max_ttl_minutes,
                allow_bootstrap_issuance = excluded.allow_bootstrap_issuance,
                updated_by_subject = excluded.updated_by_subject, updated_at = excluded.updated_at
            """)
    }
}
