// Keys under which clients want a request to be done once, and what they were answered. Rules: HTTP contract, section 9,
// row 20.

package import Domain

/// What names one request of one caller.
package struct IdempotencyKey: Hashable, Sendable {
    package let tenant: TenantID
    package let subject: Subject
    package let method: String
    package let path: String
    package let text: String

    package init(tenant: TenantID, subject: Subject, method: String, path: String, text: String) {
        self.tenant = tenant
        self.subject = subject
        self.method = method
        self.path = path
        self.text = text
    }
}

/// The answer, or what may be repeated of it.
package struct KeptAnswer: Hashable, Sendable {
    /// Nil where the answer may not be repeated: `body` is then an object of what may be repeated.
    package let status: Int?
    package let body: String
    package let contentType: String?
    package let location: String?

    package init(status: Int?, body: String, contentType: String?, location: String?) {
        self.status = status
        self.body = body
        self.contentType = contentType
        self.location = location
    }
}

package enum IdempotencyStore {
    /// Takes a key. If another transaction has it, this waits until that one ends.
    ///
    /// - Parameter cutoff: keys older than this count as free.
    /// - Returns: false if another request has it.
    package static func claim(
        _ key: IdempotencyKey, bodyHash: String, at now: Timestamp, expiredBefore cutoff: Timestamp,
        _ transaction: borrowing Transaction
    ) throws -> Bool {
        try transaction.execute(
            """
            INSERT INTO idempotency_keys (tenant_id, subject, method, path, idempotency_key, body_hash, created_at)
            VALUES (\(key.tenant), \(key.subject), \(key.method), \(key.path), \(key.text), \(bodyHash), \(now))
            ON CONFLICT (tenant_id, subject, method, path, idempotency_key) DO UPDATE
            SET body_hash = excluded.body_hash, created_at = excluded.created_at, status = NULL, answer = NULL,
                content_type = NULL, location = NULL
            WHERE idempotency_keys.created_at < \(cutoff)
            """) > 0
    }

    package static func keep(
        _ answer: KeptAnswer, for key: IdempotencyKey, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE idempotency_keys SET status = \(answer.status), answer = \(answer.body),
                content_type = \(answer.contentType), location = \(answer.location)
            WHERE tenant_id = \(key.tenant) AND subject = \(key.subject) AND method = \(key.method)
                AND path = \(key.path) AND idempotency_key = \(key.text)
            """)
    }

    /// What was answered under a key, and the hash of the body it was answered to.
    package static func find(
        _ key: IdempotencyKey, expiredBefore cutoff: Timestamp, _ transaction: borrowing Transaction
    ) throws -> (bodyHash: String, answer: KeptAnswer)? {
        try transaction.first(
            """
            SELECT body_hash, status, answer, content_type, location FROM idempotency_keys
            WHERE tenant_id = \(key.tenant) AND subject = \(key.subject) AND method = \(key.method)
                AND path = \(key.path) AND idempotency_key = \(key.text) AND created_at >= \(cutoff)
            """
        ) { row in
            (
                try row[0],
                KeptAnswer(
                    status: try row[1], body: try row[2] ?? "{}", contentType: try row[3], location: try row[4])
            )
        }
    }

    /// Forgets the oldest expired keys.
    ///
    /// - Returns: how many.
    package static func sweep(
        before cutoff: Timestamp, limit: Int, _ transaction: borrowing Transaction
    ) throws -> Int {
        try transaction.execute(
            """
            DELETE FROM idempotency_keys WHERE (tenant_id, subject, method, path, idempotency_key) IN (
                SELECT tenant_id, subject, method, path, idempotency_key FROM idempotency_keys
                WHERE created_at < \(cutoff) ORDER BY created_at LIMIT \(limit) \(.forUpdateSkipLocked))
            """)
    }
}
