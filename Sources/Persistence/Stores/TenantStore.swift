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

    /// - Returns: false where the slug is taken.
    package static func insert(_ tenant: Tenant, _ transaction: borrowing Transaction) throws -> Bool {
        try transaction.execute(
            """
            INSERT INTO tenants (tenant_id, slug, name, created_at)
            VALUES (\(tenant.id), \(tenant.slug.text), \(tenant.name), \(tenant.createdAt))
            ON CONFLICT (slug) DO NOTHING
            """) > 0
    }

    /// By slug.
    package static func list(_ transaction: borrowing Transaction) throws -> [Tenant] {
        try transaction.all("SELECT \(self.columns) FROM tenants ORDER BY slug", as: self.tenant(row:))
    }

    package static func find(_ slug: TenantSlug, _ transaction: borrowing Transaction) throws -> Tenant? {
        try transaction.first(
            "SELECT \(self.columns) FROM tenants WHERE slug = \(slug.text)", as: self.tenant(row:))
    }

    /// - Parameter time: nil to enable it again.
    package static func disable(_ id: TenantID, at time: Timestamp?, _ transaction: borrowing Transaction) throws {
        try transaction.execute("UPDATE tenants SET disabled_at = \(time) WHERE tenant_id = \(id)")
    }

    private static let columns: SQL = "tenant_id, slug, name, created_at, disabled_at"

    private static func tenant(row: borrowing Row) throws -> Tenant {
        let text = try row[1] as String
        guard let slug = try? TenantSlug(parsing: text) else { throw DatabaseFault.unreadable("TenantSlug: \(text)") }
        return Tenant(
            id: try row[0], slug: slug, name: try row[2], createdAt: try row[3], disabledAt: try row[4])
    }
}
