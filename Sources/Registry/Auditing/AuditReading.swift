// The audit log, read a page at a time. Rules: HTTP contract, 3.9.

package import Domain
package import Persistence

package struct AuditReading: Sendable {
    private let database: any Database

    package init(database: any Database) { self.database = database }

    /// The newest rows first.
    package func page(_ filter: AuditFilter, limit: Int, under grant: TenantGrant) async throws -> [AuditRecord] {
        try await self.database.lookup { try AuditLog.page(filter, of: grant.tenant, limit: limit, $0) }
    }
}
