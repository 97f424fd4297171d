// Blob rows and their states.
// Rules: architecture, I1, I5 and section 6 (Delete); HTTP contract, section 9, rows 12 and 24.

package import Domain

package enum BlobStore {
    /// Makes sure that a blob row exists for bytes that were just hashed and stored under `key`, and that the caller's
    /// transaction may refer to it. The staged row of `key` is used up.
    ///
    /// - Returns: the row; its key may be an older object's, and then `key` is handed over to be deleted.
    /// - Throws: `conflict` where the staged row is gone: somebody took the writer for dead.
    package static func admit(
        _ digest: BlobDigest, length: Int, key: StorageKey, checksums: Checksums, at now: Timestamp,
        _ transaction: borrowing Transaction
    ) throws -> Blob {
        let staged = try transaction.execute("DELETE FROM staged_objects WHERE storage_key = \(key)")
        guard staged > 0 else { throw Refusal.conflict("The upload took too long and was given up. Send it again.") }
        let inserted = try transaction.execute(
            """
            INSERT INTO blobs
                (digest, length_bytes, storage_key, created_at, state, last_referenced_at, md5, sha1, sha512)
            VALUES (\(digest), \(length), \(key), \(now), 'live', \(now), \(checksums.md5), \(checksums.sha1),
                \(checksums.sha512))
            ON CONFLICT (digest) DO NOTHING
            """)
        if inserted > 0 {
            return Blob(digest: digest, length: length, storageKey: key, checksums: checksums, createdAt: now)
        }
        guard let (blob, state) = try self.lockedRow(digest, transaction) else {
            // Collected between the two statements: PostgreSQL runs the transaction again.
            throw DatabaseFault.contention("blob \(digest) was deleted meanwhile")
        }
        switch state {
        case .live, .condemned:
            try DeadObjectStore.add(key, reason: "duplicate", at: now, transaction)
            try self.revive(digest, at: now, transaction)
            let known = blob.checksums.filled(from: checksums)
            if known != blob.checksums { try self.keep(known, of: digest, transaction) }
            return Blob(
                digest: digest, length: blob.length, storageKey: blob.storageKey, checksums: known,
                createdAt: blob.createdAt)
        case .deleting:
            try DeadObjectStore.add(blob.storageKey, reason: "replaced", at: now, transaction)
            try transaction.execute(
                """
                UPDATE blobs SET storage_key = \(key), state = 'live', state_changed_at = \(now),
                    last_referenced_at = \(now), created_at = \(now), blocked_at = NULL
                WHERE digest = \(digest)
                """)
            return Blob(
                digest: digest, length: length, storageKey: key, checksums: blob.checksums, createdAt: now)
        }
    }

    /// A blob that a new row is going to refer to: locked against collection, and revived where it was condemned.
    ///
    /// - Returns: nil where there is none, or only one whose object is being deleted.
    package static func refer(
        to digest: BlobDigest, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> Blob? {
        guard let (blob, state) = try self.lockedRow(digest, transaction), state != .deleting else { return nil }
        try self.revive(digest, at: now, transaction)
        return blob
    }

    /// The same for several: locked in the order of their digests.
    ///
    /// Rivals that refer to a blob share its lock; the collection's, and every change of state, waits for them.
    ///
    /// - Returns: those that are there, by digest.
    package static func refer(
        to digests: [BlobDigest], at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> [BlobDigest: Blob] {
        let rows = try transaction.all(
            """
            SELECT \(self.columns) FROM blobs WHERE digest \(.isOneOf(digests.map(\.hex))) ORDER BY digest \(.forShare)
            """, as: { try self.blob(row: $0) })
        var blobs: [BlobDigest: Blob] = [:]
        for (blob, state) in rows where state != .deleting {
            if state == .condemned { try self.revive(blob.digest, at: now, transaction) }
            blobs[blob.digest] = blob
        }
        return blobs
    }

    private static func revive(_ digest: BlobDigest, at now: Timestamp, _ transaction: borrowing Transaction) throws {
        try transaction.execute(
            """
            UPDATE blobs SET state = 'live', last_referenced_at = \(now),
                state_changed_at = CASE WHEN state = 'live' THEN state_changed_at ELSE \(now) END
            WHERE digest = \(digest)
            """)
    }

    private static let columns: SQL = "digest, length_bytes, storage_key, created_at, state, md5, sha1, sha512"

    private static func lockedRow(
        _ digest: BlobDigest, _ transaction: borrowing Transaction
    ) throws -> (Blob, BlobState)? {
        try transaction.first(
            "SELECT \(self.columns) FROM blobs WHERE digest = \(digest) \(.forNoKeyUpdate)",
            as: { try self.blob(row: $0) })
    }

    private static func blob(row: borrowing Row) throws -> (Blob, BlobState) {
        (
            Blob(
                digest: try row[0], length: try row[1], storageKey: try row[2],
                checksums: Checksums(md5: try row[5], sha1: try row[6], sha512: try row[7]), createdAt: try row[3]),
            try row[4]
        )
    }

    /// Keeps checksums that were computed after the answer.
    package static func keep(
        _ checksums: Checksums, of digest: BlobDigest, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE blobs SET md5 = \(checksums.md5), sha1 = \(checksums.sha1), sha512 = \(checksums.sha512)
            WHERE digest = \(digest)
            """)
    }
}
