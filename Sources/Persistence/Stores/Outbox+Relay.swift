// The outbox as its relay sees it: claimed under a lease, delivered once, or kept as failed. Rules: HTTP contract, 4.1,
// 4.3 and section 9, row 8.

package import Domain

/// An event that a worker has claimed.
package struct OutboxEvent: Hashable, Sendable {
    package let id: UniqueID
    package let tenant: TenantID
    package let aggregateID: String
    package let payload: JSON
    /// This one included.
    package let attempts: Int
}

extension Outbox {
    /// In seconds: how long a claimed event is left alone.
    package static let leaseSeconds: Int64 = 30

    /// Undelivered publications that are due, the oldest first, for the holder of `lease`. What another worker is claiming is
    /// passed by; what belongs to a tenant whose indexing is paused waits.
    package static func claim(
        _ lease: Lease, at now: Timestamp, limit: Int, _ transaction: borrowing Transaction
    ) throws -> [OutboxEvent] {
        let events = try transaction.all(
            """
            SELECT o.event_id, o.tenant_id, o.aggregate_id, o.payload, o.delivery_attempts + 1 FROM outbox_events o
            WHERE o.event_type = \(EventKind.versionPublished) AND o.delivered_at IS NULL AND o.dead_lettered_at IS NULL
                AND o.available_at <= \(now) AND \(SearchControlStore.isRunning(for: "o.tenant_id"))
            ORDER BY o.occurred_at, o.event_id LIMIT \(limit) \(.either(postgreSQL: "FOR UPDATE OF o SKIP LOCKED", sqlite: ""))
            """
        ) { row in
            OutboxEvent(
                id: try row[0], tenant: try row[1], aggregateID: try row[2], payload: try row[3], attempts: try row[4])
        }
        try transaction.execute(each: events) { event in
            """
            UPDATE outbox_events SET delivery_attempts = delivery_attempts + 1, available_at = \(lease.until),
                lease_token = \(lease.token), lease_until = \(lease.until)
            WHERE event_id = \(event.id)
            """
        }
        return events
    }

    /// - Returns: false where the lease is not the caller's any more: then nothing of this transaction may stand.
    package static func deliver(
        _ event: OutboxEvent, under lease: Lease, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> Bool {
        try self.end(lease, of: event, setting: "delivered_at = \(now), last_error = NULL", transaction)
    }

    /// Puts an event off, with the reason.
    package static func putOff(
        _ event: OutboxEvent, until time: Timestamp, because error: String, under lease: Lease,
        _ transaction: borrowing Transaction
    ) throws {
        _ = try self.end(lease, of: event, setting: "available_at = \(time), last_error = \(error)", transaction)
    }

    /// Gives an event up: it is kept, and marked.
    package static func bury(
        _ event: OutboxEvent, because error: String, under lease: Lease, at now: Timestamp,
        _ transaction: borrowing Transaction
    ) throws {
        _ = try self.end(lease, of: event, setting: "dead_lettered_at = \(now), last_error = \(error)", transaction)
    }

    /// The fence: a worker whose lease has ended changes nothing.
    ///
    /// - Returns: false where the lease is not the caller's any more.
    private static func end(
        _ lease: Lease, of event: OutboxEvent, setting columns: SQL, _ transaction: borrowing Transaction
    ) throws -> Bool {
        try transaction.execute(
            """
            UPDATE outbox_events SET \(columns), lease_token = NULL, lease_until = NULL
            WHERE event_id = \(event.id) AND lease_token = \(lease.token) AND delivered_at IS NULL
            """) > 0
    }
}
