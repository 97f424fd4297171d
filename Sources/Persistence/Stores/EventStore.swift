// Reading the log of events, and keeping it bounded. Rules: HTTP contract, section 9, row 37.

package import Domain

package struct StoredEvent: Hashable, Sendable {
    package let seq: Int64
    package let id: UniqueID
    package let kind: EventKind
    package let version: VersionID?
    package let payload: JSON
    package let occurredAt: Timestamp
    /// The version's quarantine, as it is now.
    package let quarantine: QuarantineStatus?
}

package enum EventStore {
    /// Which numbers a repository's log has: the oldest that is kept (the next one where none is), and the latest.
    package static func bounds(
        of repository: RepoID, _ transaction: borrowing Transaction
    ) throws -> (oldest: Int64, latest: Int64) {
        let latest = try transaction.first(
            "SELECT last_seq FROM event_counters WHERE repo_id = \(repository)", as: { try $0[0] as Int64 })
        let oldest = try transaction.first(
            "SELECT seq FROM events WHERE repo_id = \(repository) ORDER BY seq LIMIT 1", as: { try $0[0] as Int64 })
        return (oldest ?? (latest ?? 0) + 1, latest ?? 0)
    }

    /// Events by number.
    package static func page(
        of repository: RepoID, after seq: Int64, limit: Int, _ transaction: borrowing Transaction
    ) throws -> [StoredEvent] {
        try transaction.all(
            """
            SELECT e.seq, e.event_id, e.event_type, e.version_id, e.payload, e.occurred_at, q.status
            FROM events e LEFT JOIN quarantine_items q ON q.version_id = e.version_id
            WHERE e.repo_id = \(repository) AND e.seq > \(seq) ORDER BY e.seq LIMIT \(limit)
            """
        ) { row in
            StoredEvent(
                seq: try row[0], id: try row[1], kind: try row[2], version: try row[3], payload: try row[4],
                occurredAt: try row[5], quarantine: try row[6])
        }
    }

    /// Repositories whose oldest event is older than `cutoff`, by id.
    package static func outdated(
        before cutoff: Timestamp, after repository: RepoID?, limit: Int, _ transaction: borrowing Transaction
    ) throws -> [RepoID] {
        try transaction.all(
            """
            SELECT c.repo_id FROM event_counters c
            WHERE c.repo_id > \(repository ?? RepoID(.zero)) AND (SELECT e.occurred_at FROM events e
                WHERE e.repo_id = c.repo_id ORDER BY e.seq LIMIT 1) < \(cutoff)
            ORDER BY c.repo_id LIMIT \(limit)
            """, as: { try $0[0] as RepoID })
    }

    /// Deletes from the beginning of a repository's log what is older than `cutoff`: no hole comes into it, whatever the
    /// clocks said.
    ///
    /// - Returns: how many events were deleted; fewer than `limit` where the beginning is young.
    package static func prune(
        _ repository: RepoID, before cutoff: Timestamp, limit: Int, _ transaction: borrowing Transaction
    ) throws -> Int {
        let oldest = try transaction.all(
            "SELECT seq, occurred_at FROM events WHERE repo_id = \(repository) ORDER BY seq LIMIT \(limit)",
            as: { (try $0[0] as Int64, try $0[1] as Timestamp) })
        guard let last = oldest.prefix(while: { $0.1 < cutoff }).last?.0 else { return 0 }
        return try transaction.execute("DELETE FROM events WHERE repo_id = \(repository) AND seq <= \(last)")
    }
}

extension Outbox {
    /// Deletes what was delivered before `cutoff`.
    ///
    /// - Returns: how many.
    package static func prune(
        deliveredBefore cutoff: Timestamp, limit: Int, _ transaction: borrowing Transaction
    ) throws -> Int {
        try transaction.execute(
            """
            DELETE FROM outbox_events WHERE event_id IN (SELECT event_id FROM outbox_events
                WHERE delivered_at IS NOT NULL AND delivered_at < \(cutoff) ORDER BY delivered_at LIMIT \(limit))
            """)
    }
}
