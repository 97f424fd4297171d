// Objects that are on their way in. Source: architecture, section 6 (Delete).

package import Domain

/// Keys of objects that are being written: recorded before their first byte, so that whatever a crash leaves is known.
package enum StagedObjectStore {
    package static func add(
        _ keys: [StorageKey], owner: UniqueID, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(each: keys) { key in
            "INSERT INTO staged_objects (storage_key, owner, created_at) VALUES (\(key), \(owner), \(now))"
        }
    }

    package static func remove(_ key: StorageKey, _ transaction: borrowing Transaction) throws {
        try transaction.execute("DELETE FROM staged_objects WHERE storage_key = \(key)")
    }

    /// Hands what dead processes were writing over to be deleted: the writer's commit then finds its row gone.
    ///
    /// - Parameter cutoff: a process without a sign of life since then is dead.
    /// - Returns: how many.
    package static func abandon(
        deadSince cutoff: Timestamp, at now: Timestamp, limit: Int, _ transaction: borrowing Transaction
    ) throws -> Int {
        let keys = try transaction.all(
            """
            DELETE FROM staged_objects WHERE storage_key IN (
                SELECT s.storage_key FROM staged_objects s LEFT JOIN instances i ON i.instance_id = s.owner
                WHERE s.upload_id IS NULL AND s.created_at < \(cutoff)
                    AND (i.instance_id IS NULL OR i.seen_at < \(cutoff))
                LIMIT \(limit))
            RETURNING storage_key
            """, as: { try $0[0] as StorageKey })
        for key in keys { try DeadObjectStore.add(key, reason: "abandoned", at: now, transaction) }
        return keys.count
    }
}
