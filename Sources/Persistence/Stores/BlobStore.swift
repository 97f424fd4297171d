// Blob rows and their states.
// Rules: architecture, I1, I5 and section 6 (Delete); HTTP contract, section 9, rows 12 and 24.

package import Domain

package enum BlobStore {
    /// Ensures that a blob row exists for bytes that were just hashed and stored under `key`, and that the transaction
    /// may refer to it. The staged row of `key` is consumed.
    ///
    /// A row that exists already is kept only with an object that was inspected. Its damaged object is replaced by `key`.
    ///
    /// - Parameter inspection: what was found of the existing row's object; nil if no row was known.
    /// - Returns: the row; if it keeps an older object, `key` is recorded to be deleted.
    /// - Throws: `conflict` if the staged row is gone, because the writer was taken for dead; ``UninspectedObject``.
    package static func admit(
        _ digest: BlobDigest, length: Int, key: StorageKey, checksums: Checksums, after inspection: ObjectInspection?,
        at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> AdmittedBlob {
        let staged = try transaction.execute("DELETE FROM staged_objects WHERE storage_key = \(key)")
        guard staged > 0 else { throw Refusal.conflict("The upload took too long and was cancelled. Send it again.") }
        let inserted = try transaction.execute(
            """
            INSERT INTO blobs
                (digest, length_bytes, storage_key, created_at, state, last_referenced_at, md5, sha1, sha512)
            VALUES (\(digest), \(length), \(key), \(now), 'live', \(now), \(checksums.md5), \(checksums.sha1),
                \(checksums.sha512))
            ON CONFLICT (digest) DO NOTHING
            """)
        if inserted > 0 {
            return AdmittedBlob(
                Blob(digest: digest, length: length, storageKey: key, checksums: checksums, createdAt: now))
        }
        guard let row = try self.lockedRow(digest, transaction) else {
            // Collected between the two statements: PostgreSQL runs the transaction again.
            throw DatabaseFault.contention("blob \(digest) was deleted at the same time")
        }
        let known = row.blob.checksums.filled(from: checksums)
        let createdAt: Timestamp
        var repair: ObjectRepair?
        switch try row.fate(after: inspection) {
        case .kept:
            try DeadObjectStore.add(key, reason: "duplicate", at: now, transaction)
            try self.revive(digest, verifiedAt: inspection?.verifiedAt, at: now, transaction)
            if known != row.blob.checksums { try self.keep(known, of: digest, transaction) }
            return AdmittedBlob(
                Blob(
                    digest: digest, length: row.blob.length, storageKey: row.blob.storageKey, checksums: known,
                    createdAt: row.blob.createdAt))
        case .damaged(let damage):
            repair = ObjectRepair(damage: damage, damagedKey: row.blob.storageKey)
            createdAt = row.blob.createdAt
        case .leaving: createdAt = now
        }
        try DeadObjectStore.add(
            row.blob.storageKey, reason: repair == nil ? "replaced" : "damaged", at: now, transaction)
        try transaction.execute(
            """
            UPDATE blobs SET storage_key = \(key), state = 'live', created_at = \(createdAt), last_referenced_at = \(now),
                state_changed_at = CASE WHEN state = 'live' THEN state_changed_at ELSE \(now) END,
                length_bytes = \(length), blocked_at = NULL, verified_at = NULL, md5 = \(known.md5), sha1 = \(known.sha1),
                sha512 = \(known.sha512)
            WHERE digest = \(digest)
            """)
        return AdmittedBlob(
            Blob(digest: digest, length: length, storageKey: key, checksums: known, createdAt: createdAt),
            repair: repair)
    }

    /// A blob that a new row is going to refer to without its bytes being sent: locked against collection, and revived if
    /// it was condemned.
    ///
    /// - Parameter inspection: of the row's present object, which was found to be good.
    /// - Returns: nil if there is none, its object is being deleted or damaged, or is another than was inspected.
    package static func refer(
        to digest: BlobDigest, after inspection: ObjectInspection, at now: Timestamp,
        _ transaction: borrowing Transaction
    ) throws -> Blob? {
        guard inspection.damage == nil, let row = try self.lockedRow(digest, transaction), row.state != .deleting,
            !row.isBlocked, row.blob.storageKey == inspection.key
        else { return nil }
        try self.revive(digest, verifiedAt: inspection.verifiedAt, at: now, transaction)
        return row.blob
    }

    /// Whether there is any blob.
    package static func holdsAny(_ transaction: borrowing Transaction) throws -> Bool {
        try transaction.first("SELECT 1 FROM blobs LIMIT 1", as: { _ in true }) ?? false
    }

    /// A blob that can be referred to, and when its object was last read and found good.
    package static func find(
        _ digest: BlobDigest, _ transaction: borrowing Transaction
    ) throws -> (blob: Blob, verifiedAt: Timestamp?)? {
        try transaction.first(
            """
            SELECT \(self.columns), verified_at FROM blobs
            WHERE digest = \(digest) AND state <> 'deleting' AND blocked_at IS NULL
            """, as: { (try self.blob(row: $0).0, try $0[8]) })
    }

    /// Withholds a blob's bytes, because they were found to be other ones.
    ///
    /// - Parameter key: of the object that was inspected: another one is left alone.
    /// - Returns: whether it was not withheld before.
    package static func block(
        _ digest: BlobDigest, storedAt key: StorageKey, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> Bool {
        try transaction.execute(
            """
            UPDATE blobs SET blocked_at = \(now), verified_at = NULL
            WHERE digest = \(digest) AND storage_key = \(key) AND blocked_at IS NULL
            """) > 0
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
            if state == .condemned { try self.revive(blob.digest, verifiedAt: nil, at: now, transaction) }
            blobs[blob.digest] = blob
        }
        return blobs
    }

    /// - Parameter verifiedAt: when its object was read and found good; nil if it was not read.
    private static func revive(
        _ digest: BlobDigest, verifiedAt: Timestamp?, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE blobs SET state = 'live', last_referenced_at = \(now),
                verified_at = COALESCE(\(verifiedAt), verified_at),
                state_changed_at = CASE WHEN state = 'live' THEN state_changed_at ELSE \(now) END
            WHERE digest = \(digest)
            """)
    }

    private static let columns: SQL = "digest, length_bytes, storage_key, created_at, state, md5, sha1, sha512"

    private static func lockedRow(
        _ digest: BlobDigest, _ transaction: borrowing Transaction
    ) throws -> LockedBlob? {
        try transaction.first(
            "SELECT \(self.columns), blocked_at, verified_at FROM blobs WHERE digest = \(digest) \(.forNoKeyUpdate)"
        ) { row in
            let (blob, state) = try self.blob(row: row)
            return LockedBlob(
                blob: blob, state: state, isBlocked: try row[8] as Timestamp? != nil, verifiedAt: try row[9])
        }
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

/// A blob row that the transaction has locked.
private struct LockedBlob: Sendable {
    enum Fate {
        case kept
        case damaged(ObjectDamage)
        /// The row's object is being deleted.
        case leaving
    }

    let blob: Blob
    let state: BlobState
    let isBlocked: Bool
    let verifiedAt: Timestamp?

    /// What becomes of the row's object now that its bytes have arrived again.
    ///
    /// - Throws: ``UninspectedObject`` if the inspection was of another object, or there was none.
    func fate(after inspection: ObjectInspection?) throws -> Fate {
        if self.state == .deleting { return .leaving }
        if self.isBlocked { return .damaged(.blocked) }
        guard let inspection, inspection.key == self.blob.storageKey else {
            throw UninspectedObject(blob: self.blob, verifiedAt: self.verifiedAt)
        }
        return inspection.damage.map { .damaged($0) } ?? .kept
    }
}
