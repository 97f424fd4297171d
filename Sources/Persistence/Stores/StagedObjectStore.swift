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

    /// Gives a recorded key to an upload session, which answers for it from now on.
    ///
    /// - Throws: `conflict` if the row is gone: the writer was taken for dead.
    package static func give(
        _ key: StorageKey, to upload: UploadID, storageUpload: String, of tenant: TenantID,
        _ transaction: borrowing Transaction
    ) throws {
        let given = try transaction.execute(
            """
            UPDATE staged_objects SET upload_id = \(upload), storage_upload_id = \(storageUpload),
                tenant_id = \(tenant), owner = NULL
            WHERE storage_key = \(key)
            """)
        guard given > 0 else { throw Refusal.conflict("The upload took too long to begin. Try again.") }
    }

    /// Hands what an aborted session was uploading over to be deleted.
    ///
    /// - Parameter due: not before.
    package static func release(
        _ key: StorageKey, due: Timestamp, reason: String, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        let upload = try transaction.first(
            "DELETE FROM staged_objects WHERE storage_key = \(key) RETURNING storage_upload_id",
            as: { try $0[0] as String? })
        guard let upload else { return }  // already done
        try DeadObjectStore.add(
            DeadObject(key: key, upload: upload), reason: reason, due: due, at: now, transaction)
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
