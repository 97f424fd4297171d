// What subscriptions are told: one row for each of them and event, in the order of the events of a repository.

package import Domain

package struct StoredDelivery: Hashable, Sendable {
    package let id: WebhookDeliveryID
    package let ordinal: Int64
    /// The same however often it is told.
    package let event: UniqueID
    package let eventType: String
    /// Nil for what belongs to no repository.
    package let repo: RepoID?
    package let seq: Int64?
    package let payload: JSON
    package let occurredAt: Timestamp
    package let status: WebhookDeliveryStatus
    package let attempts: Int
    package let lastStatus: Int?
    package let lastError: String?
    package let attemptedAt: Timestamp?
    package let settledAt: Timestamp?
    /// Of its version, as it is now.
    package let quarantine: QuarantineStatus?
}

/// A file by path, as its events describe it.
package struct DeliveredFile: Hashable, Sendable {
    package let repo: RepoKey
    package let path: RelativePath
    package let digest: BlobDigest
    /// In bytes.
    package let length: Int
}

package enum WebhookDeliveryStore {
    /// Queues an event for every subscription that wants it. It runs behind the event's own number, in the same transaction: so
    /// the order of the rows is that of the numbers.
    static func fanOut(
        _ kind: EventKind, id: UniqueID, in repository: Repository, version: VersionID?, payload: JSON,
        at now: Timestamp
    ) -> SQL {
        """
        INSERT INTO webhook_deliveries (webhook_id, event_id, event_type, repo_id, seq, version_id, payload, occurred_at)
        SELECT w.webhook_id, \(id), \(kind), c.repo_id, c.last_seq, \(version), \(payload), \(now)
        FROM event_counters c JOIN webhooks w ON w.tenant_id = \(repository.tenant) AND w.disabled_at IS NULL
            AND (w.repo_id IS NULL OR w.repo_id = c.repo_id)
            AND (\(.holds(Webhook.everyType, in: "w.event_types")) OR \(.holds(kind.rawValue, in: "w.event_types")))
        WHERE c.repo_id = \(repository.id)
        """
    }

    /// Queues something for one subscription.
    package static func append(
        _ id: WebhookDeliveryID, to webhook: WebhookID, event: UniqueID, type: String, payload: JSON,
        at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO webhook_deliveries (delivery_id, webhook_id, event_id, event_type, payload, occurred_at)
            VALUES (\(id), \(webhook), \(event), \(type), \(payload), \(now))
            """)
        transaction.notify(EventLog.channel)
    }

    /// Queues once more what was told already.
    package static func repeatDelivery(
        _ delivery: StoredDelivery, as id: WebhookDeliveryID, to webhook: WebhookID,
        _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO webhook_deliveries
                (delivery_id, webhook_id, event_id, event_type, repo_id, seq, version_id, payload, occurred_at)
            SELECT \(id), webhook_id, event_id, event_type, repo_id, seq, version_id, payload, occurred_at
            FROM webhook_deliveries WHERE ordinal = \(delivery.ordinal) AND webhook_id = \(webhook)
            """)
        transaction.notify(EventLog.channel)
    }

    /// What a subscription is to be told next. (`+ 0`: the order of the index of what is pending, and of no other.)
    package static func head(
        of webhook: WebhookID, _ transaction: borrowing Transaction
    ) throws -> StoredDelivery? {
        try transaction.first(
            """
            SELECT \(self.columns) FROM \(self.source) WHERE d.webhook_id = \(webhook) AND d.status = 'pending'
            ORDER BY d.ordinal + 0 LIMIT 1
            """, as: self.delivery(row:))
    }

    /// The file that a delivery is about, as long as its version is there; nil if it is not about a file by path.
    package static func file(
        of delivery: StoredDelivery, _ transaction: borrowing Transaction
    ) throws -> DeliveredFile? {
        try transaction.first(
            """
            SELECT r.repo_key, e.relative_path, e.blob_digest, e.size_bytes
            FROM webhook_deliveries d
            JOIN package_versions v ON v.version_id = d.version_id
            JOIN packages p ON p.package_id = v.package_id
            JOIN artifact_entries e ON e.version_id = v.version_id AND e.relative_path = p.name
            JOIN repos r ON r.repo_id = v.repo_id
            WHERE d.ordinal = \(delivery.ordinal) AND p.package_type = 'generic' AND p.namespace = ''
            """,
            as: { DeliveredFile(repo: try $0[0], path: try $0[1], digest: try $0[2], length: try $0[3]) })
    }

    /// The newest first.
    package static func page(
        of webhook: WebhookID, status: WebhookDeliveryStatus?, before ordinal: Int64?, limit: Int,
        _ transaction: borrowing Transaction
    ) throws -> [StoredDelivery] {
        let state: SQL = status.map { "AND d.status = \($0)" } ?? ""
        let start: SQL = ordinal.map { "AND d.ordinal < \($0)" } ?? ""
        return try transaction.all(
            """
            SELECT \(self.columns) FROM \(self.source) WHERE d.webhook_id = \(webhook) \(state) \(start)
            ORDER BY d.ordinal DESC LIMIT \(limit)
            """, as: self.delivery(row:))
    }

    package static func find(
        _ id: WebhookDeliveryID, of webhook: WebhookID, _ transaction: borrowing Transaction
    ) throws -> StoredDelivery? {
        try transaction.first(
            """
            SELECT \(self.columns) FROM \(self.source) WHERE d.delivery_id = \(id) AND d.webhook_id = \(webhook)
            """, as: self.delivery(row:))
    }

    /// - Returns: how many wait.
    package static func pending(of webhook: WebhookID, _ transaction: borrowing Transaction) throws -> Int {
        try transaction.first(
            "SELECT COUNT(*) FROM webhook_deliveries WHERE webhook_id = \(webhook) AND status = 'pending'",
            as: { try $0[0] as Int }) ?? 0
    }

    package static func settle(
        _ delivery: StoredDelivery, _ outcome: WebhookOutcome, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        let isAccepted = if case .accepted = outcome { true } else { false }
        try transaction.execute(
            """
            UPDATE webhook_deliveries SET status = \(isAccepted ? "delivered" : "pending"), attempts = attempts + 1,
                last_status = \(outcome.status), last_error = \(outcome.error), attempted_at = \(now),
                settled_at = \(isAccepted ? now : nil)
            WHERE ordinal = \(delivery.ordinal) AND status = 'pending'
            """)
    }

    package static func withhold(
        _ delivery: StoredDelivery, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE webhook_deliveries SET status = 'withheld', settled_at = \(now) WHERE ordinal = \(delivery.ordinal)
            """)
    }

    /// Deletes what is older than `cutoff`: also what could never be told, for it would be told without end.
    ///
    /// - Returns: how many.
    package static func prune(
        before cutoff: Timestamp, limit: Int, _ transaction: borrowing Transaction
    ) throws -> Int {
        try transaction.execute(
            """
            DELETE FROM webhook_deliveries WHERE ordinal IN (SELECT ordinal FROM webhook_deliveries
                WHERE occurred_at < \(cutoff) ORDER BY occurred_at LIMIT \(limit))
            """)
    }

    private static let source: SQL =
        "webhook_deliveries d LEFT JOIN quarantine_items q ON q.version_id = d.version_id"
    private static let columns: SQL = """
        d.delivery_id, d.ordinal, d.event_id, d.event_type, d.repo_id, d.seq, d.payload, d.occurred_at, d.status,
        d.attempts, d.last_status, d.last_error, d.attempted_at, d.settled_at, q.status
        """

    private static func delivery(row: borrowing Row) throws -> StoredDelivery {
        StoredDelivery(
            id: try row[0], ordinal: try row[1], event: try row[2], eventType: try row[3], repo: try row[4],
            seq: try row[5], payload: try row[6], occurredAt: try row[7], status: try row[8], attempts: try row[9],
            lastStatus: try row[10], lastError: try row[11], attemptedAt: try row[12], settledAt: try row[13],
            quarantine: try row[14])
    }
}

extension WebhookDeliveryStatus: SQLConvertible {}
