// Tenants. Rules: HTTP contract, 2.2 and section 9, row 22.

package import Domain

package enum TenantStore {
    /// The tenant `default`, created on first need.
    package static func ensureDefault(at now: Timestamp, _ transaction: borrowing Transaction) throws -> TenantID {
        try transaction.execute(
            """
            INSERT INTO tenants (tenant_id, slug, name, created_at)
            VALUES (\(TenantID(at: now)), 'default', 'Default Tenant', \(now))
            ON CONFLICT (slug) DO UPDATE SET name = excluded.name
            """)
        guard let id = try self.id(of: "default", transaction) else {
            throw DatabaseFault.unreadable("the tenant 'default' is missing")
        }
        return id
    }

    package static func id(of slug: String, _ transaction: borrowing Transaction) throws -> TenantID? {
        try transaction.first("SELECT tenant_id FROM tenants WHERE slug = \(slug)", as: { try $0[0] as TenantID })
    }
}
