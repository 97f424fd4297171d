// What was done, by whom. Rows: HTTP contract, 1.7 and 3.9; written in the transaction of what they describe.

package import Domain

/// One row to be written.
package struct AuditEntry: Hashable, Sendable {
    package let action: String
    package let resourceType: String
    package let resourceID: String
    /// Values are text; `true` and `false` are written so.
    package let details: [JSON.Member]

    package init(
        _ action: String, on resourceType: String, _ resourceID: some CustomStringConvertible,
        _ details: KeyValuePairs<String, String> = [:]
    ) {
        self.init(
            action, on: resourceType, resourceID, details.map { JSON.Member($0.key, .string($0.value)) })
    }

    /// - Parameter details: their values are texts.
    package init(
        _ action: String, on resourceType: String, _ resourceID: some CustomStringConvertible, _ details: [JSON.Member]
    ) {
        self.action = action
        self.resourceType = resourceType
        self.resourceID = resourceID.description
        self.details = details
    }

    /// Without secrets, whatever the action: a reason is free text, into which people paste tokens.
    fileprivate var redactedDetails: [JSON.Member] {
        self.details.map { JSON.Member($0.name, Redaction.document($0.value, of: $0.name)) }
    }
}

/// One row as it is kept.
package struct AuditRecord: Hashable, Sendable {
    package let id: Int64
    package let correlation: UniqueID?
    package let tenant: TenantID
    package let actor: String
    package let action: String
    package let resourceType: String
    package let resourceID: String
    package let occurredAt: Timestamp
    package let details: JSON
}

/// Which rows are asked for: those that fit every condition that is set.
package struct AuditFilter: Hashable, Sendable {
    package var actor: String?
    package var action: String?
    package var resourceType: String?
    package var resourceID: String?
    /// Inclusive.
    package var since: Timestamp?
    /// Exclusive.
    package var until: Timestamp?
    /// Only rows older than this one: where the page before ended.
    package var before: Int64?

    package init() {}
}

package enum AuditLog {
    package static func append(
        _ entry: AuditEntry, by caller: Caller, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(self.statement(entry, by: caller, at: now))
    }

    /// The statement that appends a row, for a batch.
    package static func statement(_ entry: AuditEntry, by caller: Caller, at now: Timestamp) -> SQL {
        """
        INSERT INTO audit_log
            (tenant_id, correlation_id, actor, action, resource_type, resource_id, details, occurred_at)
        VALUES (\(caller.tenant), \(caller.correlation), \(caller.subject), \(entry.action),
            \(entry.resourceType), \(entry.resourceID), \(JSON.object(entry.redactedDetails)), \(now))
        """
    }

    /// The newest rows first.
    package static func page(
        _ filter: AuditFilter, of tenant: TenantID, limit: Int, _ transaction: borrowing Transaction
    ) throws -> [AuditRecord] {
        try transaction.all(
            """
            SELECT \(self.columns) FROM audit_log WHERE tenant_id = \(tenant) \(filter.condition)
            ORDER BY audit_id DESC LIMIT \(limit)
            """, as: self.record(row:))
    }

    private static let columns: SQL =
        "audit_id, correlation_id, tenant_id, actor, action, resource_type, resource_id, occurred_at, details"

    private static func record(row: borrowing Row) throws -> AuditRecord {
        AuditRecord(
            id: try row[0], correlation: try row[1], tenant: try row[2], actor: try row[3], action: try row[4],
            resourceType: try row[5], resourceID: try row[6], occurredAt: try row[7], details: try row[8])
    }
}

extension AuditFilter {
    fileprivate var condition: SQL {
        var condition: SQL = ""
        if let actor = self.actor { condition = "\(condition) AND actor = \(actor)" }
        if let action = self.action { condition = "\(condition) AND action = \(action)" }
        if let type = self.resourceType { condition = "\(condition) AND resource_type = \(type)" }
        if let id = self.resourceID { condition = "\(condition) AND resource_id = \(id)" }
        if let time = self.since { condition = "\(condition) AND occurred_at >= \(time)" }
        if let time = self.until { condition = "\(condition) AND occurred_at < \(time)" }
        if let before = self.before { condition = "\(condition) AND audit_id < \(before)" }
        return condition
    }
}
