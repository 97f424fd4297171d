// Objects that are on their way out. Source: architecture, section 6 (Delete).

package import Domain

/// An object that nothing refers to any more.
package struct DeadObject: Hashable, Sendable {
    package let key: StorageKey
    /// The store's own name for an upload in parts that may not have ended.
    package let upload: String?

    package init(key: StorageKey, upload: String? = nil) {
        self.key = key
        self.upload = upload
    }
}

/// Keys of objects that nothing refers to any more and that are to be deleted from the store.
package enum DeadObjectStore {
    package static func add(
        _ key: StorageKey, reason: String, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try self.add(DeadObject(key: key), reason: reason, due: now, at: now, transaction)
    }

    /// - Parameter due: not to be deleted before.
    package static func add(
        _ object: DeadObject, reason: String, due: Timestamp, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO dead_objects (storage_key, reason, created_at, next_attempt_at, storage_upload_id)
            VALUES (\(object.key), \(reason), \(now), \(due), \(object.upload)) ON CONFLICT (storage_key) DO NOTHING
            """)
    }

    /// Those whose turn has come.
    package static func due(
        at now: Timestamp, limit: Int, _ transaction: borrowing Transaction
    ) throws -> [DeadObject] {
        try transaction.all(
            """
            SELECT storage_key, storage_upload_id FROM dead_objects WHERE next_attempt_at <= \(now)
            ORDER BY next_attempt_at, storage_key LIMIT \(limit)
            """, as: { DeadObject(key: try $0[0], upload: try $0[1]) })
    }

    package static func remove(_ keys: [StorageKey], _ transaction: borrowing Transaction) throws {
        try transaction.execute("DELETE FROM dead_objects WHERE storage_key \(.isOneOf(keys.map(\.text)))")
    }

    package static func postpone(
        _ keys: [StorageKey], until time: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE dead_objects SET attempts = attempts + 1, next_attempt_at = \(time)
            WHERE storage_key \(.isOneOf(keys.map(\.text)))
            """)
    }
}
