// Subscriptions, and what each is still to be told, in order. Rules: docs/webhooks.md.

package import Domain

package enum WebhookStore {
    private static let columns: SQL = """
        w.webhook_id, w.tenant_id, w.repo_id, w.url, w.event_types, w.created_by_subject, w.created_at, w.disabled_at,
        w.disabled_reason, w.failures, w.next_attempt_at
        """

    package static func insert(
        _ webhook: Webhook, sealedSecret: [UInt8], _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO webhooks (webhook_id, tenant_id, repo_id, url, event_types, sealed_secret, created_by_subject,
                created_at, next_attempt_at)
            VALUES (\(webhook.id), \(webhook.tenant), \(webhook.repo), \(webhook.url),
                \(TextList(webhook.eventTypes)), \(sealedSecret), \(webhook.createdBy), \(webhook.createdAt),
                \(webhook.nextAttemptAt))
            """)
    }

    /// Those of a repository; or, for nil, those of the tenant as a whole.
    package static func list(
        of tenant: TenantID, in repository: RepoID?, _ transaction: borrowing Transaction
    ) throws -> [Webhook] {
        try transaction.all(
            """
            SELECT \(self.columns) FROM webhooks w WHERE w.tenant_id = \(tenant) AND \(self.isOf(repository))
            ORDER BY w.created_at, w.webhook_id
            """, as: self.webhook(row:))
    }

    /// - Parameter isLocked: its row, until the transaction ends.
    /// - Throws: `not_found`.
    package static func require(
        _ id: WebhookID, of tenant: TenantID, in repository: RepoID?, locked isLocked: Bool = false,
        _ transaction: borrowing Transaction
    ) throws -> Webhook {
        let found = try transaction.first(
            """
            SELECT \(self.columns) FROM webhooks w
            WHERE w.webhook_id = \(id) AND w.tenant_id = \(tenant) AND \(self.isOf(repository))
            \(isLocked ? .forNoKeyUpdate : .noLock)
            """, as: self.webhook(row:))
        guard let found else { throw Refusal.notFound("The webhook") }
        return found
    }

    /// Takes its queue along.
    package static func delete(_ id: WebhookID, _ transaction: borrowing Transaction) throws {
        try transaction.execute("DELETE FROM webhooks WHERE webhook_id = \(id)")
        try transaction.execute("DELETE FROM webhook_deliveries WHERE webhook_id = \(id)")
    }

    package static func enable(_ id: WebhookID, at now: Timestamp, _ transaction: borrowing Transaction) throws {
        try transaction.execute(
            """
            UPDATE webhooks SET disabled_at = NULL, disabled_reason = NULL, failures = 0, next_attempt_at = \(now)
            WHERE webhook_id = \(id)
            """)
    }

    // MARK: - For who delivers

    /// Subscriptions with deliveries that are due, for the holder of `lease`, the longest waiting first.
    package static func claim(
        _ lease: Lease, at now: Timestamp, limit: Int, _ transaction: borrowing Transaction
    ) throws -> [WebhookID] {
        let due = try transaction.all(
            """
            SELECT w.webhook_id FROM webhooks w
            WHERE w.disabled_at IS NULL AND w.next_attempt_at <= \(now)
                AND (w.lease_until IS NULL OR w.lease_until <= \(now))
                AND EXISTS (SELECT 1 FROM webhook_deliveries d
                    WHERE d.webhook_id = w.webhook_id AND d.status = 'pending')
            ORDER BY w.next_attempt_at, w.webhook_id LIMIT \(limit)
            \(.either(postgreSQL: "FOR NO KEY UPDATE OF w SKIP LOCKED", sqlite: ""))
            """, as: { try $0[0] as WebhookID })
        try transaction.execute(each: due) { id in
            "UPDATE webhooks SET lease_token = \(lease.token), lease_until = \(lease.until) WHERE webhook_id = \(id)"
        }
        return due
    }

    /// A subscription that is still the caller's, locked, with its secret; nil where it is not any more, or is gone.
    package static func held(
        _ id: WebhookID, under token: UniqueID, _ transaction: borrowing Transaction
    ) throws -> (webhook: Webhook, sealedSecret: [UInt8])? {
        try transaction.first(
            """
            SELECT \(self.columns), w.sealed_secret FROM webhooks w
            WHERE w.webhook_id = \(id) AND w.lease_token = \(token) AND w.disabled_at IS NULL \(.forNoKeyUpdate)
            """, as: { (try self.webhook(row: $0), try $0[11] as [UInt8]) })
    }

    package static func renew(
        _ id: WebhookID, until time: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute("UPDATE webhooks SET lease_until = \(time) WHERE webhook_id = \(id)")
    }

    /// Releases it: those that have waited longer come first.
    package static func release(
        _ id: WebhookID, under token: UniqueID, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE webhooks SET lease_token = NULL, lease_until = NULL, next_attempt_at = \(now)
            WHERE webhook_id = \(id) AND lease_token = \(token)
            """)
    }

    /// - Precondition: it is held by the caller, here and below.
    package static func succeed(_ id: WebhookID, _ transaction: borrowing Transaction) throws {
        try transaction.execute("UPDATE webhooks SET failures = 0 WHERE webhook_id = \(id)")
    }

    package static func retry(
        _ id: WebhookID, failures: Int, at time: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE webhooks SET failures = \(failures), next_attempt_at = \(time), lease_token = NULL,
                lease_until = NULL
            WHERE webhook_id = \(id)
            """)
    }

    package static func disable(
        _ id: WebhookID, failures: Int, because reason: String, at now: Timestamp,
        _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE webhooks SET disabled_at = \(now), disabled_reason = \(reason), failures = \(failures),
                lease_token = NULL, lease_until = NULL
            WHERE webhook_id = \(id)
            """)
    }

    // MARK: -

    private static func isOf(_ repository: RepoID?) -> SQL {
        if let repository { "w.repo_id = \(repository)" } else { "w.repo_id IS NULL" }
    }

    private static func webhook(row: borrowing Row) throws -> Webhook {
        Webhook(
            id: try row[0], tenant: try row[1], repo: try row[2], url: try row[3],
            eventTypes: (try row[4] as TextList).texts, createdBy: try row[5], createdAt: try row[6],
            disabledAt: try row[7], disabledReason: try row[8], failures: try row[9], nextAttemptAt: try row[10])
    }
}
