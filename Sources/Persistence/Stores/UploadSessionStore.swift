// Upload sessions. Rules: HTTP contract, 3.4, 6.2, 8.2 and section 9, rows 11, 38 and 39.

package import Domain

package enum UploadSessionStore {
    private static let columns: SQL = """
        s.upload_id, s.tenant_id, s.repo_id, s.expected_digest, s.expected_length, s.state, s.deduped, s.expires_at,
        s.object_staging_key, s.storage_upload_id, s.committed_blob_digest, s.sealed_length, s.sealed_digest,
        s.lease_token, s.lease_until, s.aborted_reason
        """

    package static func insert(
        _ session: UploadSession, by subject: Subject, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        let committedAt = session.state == .committed ? now : nil
        try transaction.execute(
            """
            INSERT INTO upload_sessions (upload_id, tenant_id, repo_id, expected_digest, expected_length, state,
                deduped, expires_at, object_staging_key, storage_upload_id, committed_blob_digest, committed_at,
                created_by_subject, created_at, updated_at)
            VALUES (\(session.id), \(session.tenant), \(session.repo), \(session.expectedDigest),
                \(session.expectedLength), \(session.state), \(session.deduped), \(session.expiresAt),
                \(session.stagingKey), \(session.storageUploadID), \(session.committedDigest), \(committedAt),
                \(subject), \(now), \(now))
            """)
    }

    /// A session of the tenant's repository of that key; another's counts as absent.
    ///
    /// - Throws: `not_found`.
    package static func require(
        _ id: UploadID, in key: RepoKey, of tenant: TenantID, _ transaction: borrowing Transaction
    ) throws -> UploadSession {
        try self.one(id, "AND r.tenant_id = \(tenant) AND r.repo_key = \(key)", transaction)
    }

    /// The same, its row locked until the transaction ends: of rivals one goes on, and the others see what it did.
    ///
    /// - Throws: `not_found`.
    package static func locked(
        _ id: UploadID, in key: RepoKey, of tenant: TenantID, _ transaction: borrowing Transaction
    ) throws -> UploadSession {
        try self.one(
            id,
            """
            AND r.tenant_id = \(tenant) AND r.repo_key = \(key)
            \(.either(postgreSQL: "FOR NO KEY UPDATE OF s", sqlite: ""))
            """, transaction)
    }

    /// A session that a signed URL names: its signature stands for tenant and caller.
    ///
    /// - Throws: `not_found`.
    package static func require(
        _ id: UploadID, in key: RepoKey, _ transaction: borrowing Transaction
    ) throws -> UploadSession {
        try self.one(id, "AND r.repo_key = \(key)", transaction)
    }

    private static func one(
        _ id: UploadID, _ condition: SQL, _ transaction: borrowing Transaction
    ) throws -> UploadSession {
        let found = try transaction.first(
            """
            SELECT \(self.columns) FROM upload_sessions s JOIN repos r ON r.repo_id = s.repo_id
            WHERE s.upload_id = \(id) \(condition)
            """, as: self.session(row:))
        guard let found else { throw Refusal.notFound("The upload session") }
        return found
    }

    /// Writes what can change.
    ///
    /// - Precondition: the row is locked.
    package static func update(
        _ session: UploadSession, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        let (committedAt, abortedAt) = (
            session.state == .committed ? now : nil, session.state == .aborted ? now : nil
        )
        try transaction.execute(
            """
            UPDATE upload_sessions SET state = \(session.state), committed_blob_digest = \(session.committedDigest),
                committed_at = \(committedAt), aborted_at = \(abortedAt), aborted_reason = \(session.abortReason),
                sealed_length = \(session.sealedLength), sealed_digest = \(session.sealedDigest),
                lease_token = \(session.lease?.token), lease_until = \(session.lease?.until), updated_at = \(now)
            WHERE upload_id = \(session.id)
            """)
    }

    /// Records which parts were put together.
    package static func seal(_ id: UploadID, _ parts: JSON, _ transaction: borrowing Transaction) throws {
        try transaction.execute("UPDATE upload_sessions SET sealed_parts = \(parts) WHERE upload_id = \(id)")
    }

    package static func sealedParts(of id: UploadID, _ transaction: borrowing Transaction) throws -> JSON? {
        let parts = try transaction.first(
            "SELECT sealed_parts FROM upload_sessions WHERE upload_id = \(id)", as: { try $0[0] as JSON? })
        return parts ?? nil
    }

    /// - Returns: false where the lease is not the caller's any more, or the session has ended.
    package static func renew(_ id: UploadID, _ lease: UploadLease, _ transaction: borrowing Transaction) throws -> Bool
    {
        try transaction.execute(
            """
            UPDATE upload_sessions SET lease_until = \(lease.until)
            WHERE upload_id = \(id) AND lease_token = \(lease.token) AND state NOT IN ('committed', 'aborted')
            """) > 0
    }

    package static func release(_ id: UploadID, _ token: UniqueID, _ transaction: borrowing Transaction) throws {
        try transaction.execute(
            """
            UPDATE upload_sessions SET lease_token = NULL, lease_until = NULL
            WHERE upload_id = \(id) AND lease_token = \(token)
            """)
    }

    /// Expired open sessions without a lease, locked; those that another transaction has locked are skipped.
    package static func expired(
        at now: Timestamp, limit: Int, _ transaction: borrowing Transaction
    ) throws -> [(session: UploadSession, repo: RepoKey)] {
        try transaction.all(
            """
            SELECT \(self.columns), r.repo_key FROM upload_sessions s JOIN repos r ON r.repo_id = s.repo_id
            WHERE s.state IN ('initiated', 'parts_uploading', 'pending_commit') AND s.expires_at <= \(now)
                AND (s.lease_until IS NULL OR s.lease_until <= \(now))
            ORDER BY s.expires_at, s.upload_id LIMIT \(limit)
            \(.either(postgreSQL: "FOR NO KEY UPDATE OF s SKIP LOCKED", sqlite: ""))
            """, as: { (try self.session(row: $0), try $0[16] as RepoKey) })
    }

    private static func session(row: borrowing Row) throws -> UploadSession {
        let token: UniqueID? = try row[13]
        let until: Timestamp? = try row[14]
        var lease: UploadLease?
        if let token, let until { lease = UploadLease(token: token, until: until) }
        return UploadSession(
            id: try row[0], tenant: try row[1], repo: try row[2], expectedDigest: try row[3],
            expectedLength: try row[4], state: try row[5], deduped: try row[6], expiresAt: try row[7],
            stagingKey: try row[8], storageUploadID: try row[9], committedDigest: try row[10],
            sealedLength: try row[11], sealedDigest: try row[12], lease: lease, abortReason: try row[15])
    }
}
