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
        (self.action, self.resourceType, self.resourceID) = (action, resourceType, resourceID.description)
        self.details = details.map { JSON.Member($0.key, .string($0.value)) }
    }
}

package enum AuditLog {
    package static func append(
        _ entry: AuditEntry, by caller: Caller, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO audit_log
                (tenant_id, correlation_id, actor, action, resource_type, resource_id, details, occurred_at)
            VALUES (\(caller.tenant), \(caller.correlation), \(caller.subject), \(entry.action),
                \(entry.resourceType), \(entry.resourceID), \(JSON.object(entry.details)), \(now))
            """)
    }
}
