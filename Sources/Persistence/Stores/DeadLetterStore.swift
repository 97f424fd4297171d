// Background work that failed for good, for operators. Rules: HTTP contract, section 9, row 8; 4.4 (exhausted).

package import Domain

package struct DeadLetter: Hashable, Sendable {
    package enum Kind: String, Sendable {
        case outboxEvent = "outbox_event"
        case searchJob = "search_job"
    }

    package let id: UniqueID
    package let kind: Kind
    /// The event's type, or what the job is for.
    package let type: String
    package let resource: String
    package let attempts: Int
    package let error: String?
    package let createdAt: Timestamp
    package let givenUpAt: Timestamp
}

package enum DeadLetterStore {
    /// The newest first: events that failed for good, and jobs that have used all their attempts.
    package static func list(
        of tenant: TenantID, maxAttempts: Int, limit: Int, _ transaction: borrowing Transaction
    ) throws -> [DeadLetter] {
        let events = try transaction.all(
            """
            SELECT event_id, event_type, aggregate_id, delivery_attempts, last_error, occurred_at, dead_lettered_at
            FROM outbox_events WHERE tenant_id = \(tenant) AND dead_lettered_at IS NOT NULL
            ORDER BY dead_lettered_at DESC, event_id DESC LIMIT \(limit)
            """, as: { try self.letter(.outboxEvent, row: $0) })
        let jobs = try transaction.all(
            """
            SELECT job_id, 'search.index', \(self.text("version_id")), attempts, last_error, created_at, updated_at
            FROM search_index_jobs
            WHERE tenant_id = \(tenant) AND status = 'failed' AND attempts >= \(maxAttempts)
            ORDER BY updated_at DESC, job_id DESC LIMIT \(limit)
            """, as: { try self.letter(.searchJob, row: $0) })
        return Array((events + jobs).sorted { ($1.givenUpAt, $1.id) < ($0.givenUpAt, $0.id) }.prefix(limit))
    }

    /// Lets it be tried again as if it were new.
    ///
    /// - Returns: nil where there is no such thing.
    package static func retry(
        _ id: UniqueID, of tenant: TenantID, maxAttempts: Int, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> DeadLetter.Kind? {
        let events = try transaction.execute(
            """
            UPDATE outbox_events SET dead_lettered_at = NULL, delivery_attempts = 0, available_at = \(now)
            WHERE event_id = \(id) AND tenant_id = \(tenant) AND dead_lettered_at IS NOT NULL
            """)
        transaction.notify(SearchJobStore.channel)
        if events > 0 { return .outboxEvent }
        let jobs = try transaction.execute(
            """
            UPDATE search_index_jobs SET status = 'pending', attempts = 0, available_at = \(now), last_error = NULL,
                updated_at = \(now), lease_token = NULL
            WHERE job_id = \(id) AND tenant_id = \(tenant) AND status = 'failed' AND attempts >= \(maxAttempts)
            """)
        return jobs > 0 ? .searchJob : nil
    }

    /// An id as text, in its usual form.
    private static func text(_ column: SQL) -> SQL {
        let hex: SQL = "lower(hex(\(column)))"
        let parts: SQL = """
            substr(\(hex), 1, 8) || '-' || substr(\(hex), 9, 4) || '-' || substr(\(hex), 13, 4) || '-'
                || substr(\(hex), 17, 4) || '-' || substr(\(hex), 21)
            """
        return "\(.either(postgreSQL: "CAST(\(column) AS text)", sqlite: parts))"
    }

    private static func letter(_ kind: DeadLetter.Kind, row: borrowing Row) throws -> DeadLetter {
        DeadLetter(
            id: try row[0], kind: kind, type: try row[1], resource: try row[2], attempts: try row[3],
            error: try row[4], createdAt: try row[5], givenUpAt: try row[6])
    }
}

/// How much waits for the worker.
package enum QueueStore {
    package struct Depths: Hashable, Sendable {
        package let outbox: Int
        package let searchJobs: Int
        package let webhookDeliveries: Int
        package let deadLetters: Int
    }

    package static func depths(maxAttempts: Int, _ transaction: borrowing Transaction) throws -> Depths {
        let depths = try transaction.first(
            """
            SELECT (SELECT COUNT(*) FROM outbox_events WHERE event_type = \(EventKind.versionPublished)
                    AND delivered_at IS NULL AND dead_lettered_at IS NULL),
                (SELECT COUNT(*) FROM search_index_jobs WHERE status IN ('pending', 'failed')
                    AND attempts < \(maxAttempts))
                    + (SELECT COUNT(*) FROM search_index_jobs WHERE status = 'processing'),
                (SELECT COUNT(*) FROM webhook_deliveries WHERE status = 'pending'),
                (SELECT COUNT(*) FROM outbox_events WHERE dead_lettered_at IS NOT NULL)
                    + (SELECT COUNT(*) FROM search_index_jobs WHERE status = 'failed' AND attempts >= \(maxAttempts))
            """
        ) { row in
            Depths(
                outbox: try row[0], searchJobs: try row[1], webhookDeliveries: try row[2], deadLetters: try row[3])
        }
        guard let depths else { throw DatabaseFault.unreadable("a count gave no row") }
        return depths
    }
}
