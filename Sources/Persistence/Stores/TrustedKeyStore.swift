// The keys whose signatures a repository trusts. A key that was removed stays on record, and counts no more.

package import Domain

package struct StoredKey: Hashable, Sendable {
    package let id: TrustedKeyID
    package let name: String
    package let algorithm: String
    /// The lower-case hexadecimal SHA-256 of its SubjectPublicKeyInfo.
    package let fingerprint: String
    package let pem: String
    package let addedBy: String
    package let addedAt: Timestamp

    package init(
        id: TrustedKeyID, name: String, algorithm: String, fingerprint: String, pem: String, addedBy: String,
        addedAt: Timestamp
    ) {
        self.id = id
        self.name = name
        self.algorithm = algorithm
        self.fingerprint = fingerprint
        self.pem = pem
        self.addedBy = addedBy
        self.addedAt = addedAt
    }
}

package enum TrustedKeyStore {
    /// Those that count, by id.
    package static func keys(of repository: RepoID, _ transaction: borrowing Transaction) throws -> [StoredKey] {
        try transaction.all(
            """
            SELECT k.key_id, k.name, k.algorithm, k.fingerprint, k.public_key, k.added_by_subject, k.added_at
            FROM repo_trusted_keys k WHERE k.repo_id = \(repository) AND k.removed_at IS NULL ORDER BY k.key_id
            """
        ) { row in
            StoredKey(
                id: try row[0], name: try row[1], algorithm: try row[2], fingerprint: try row[3], pem: try row[4],
                addedBy: try row[5], addedAt: try row[6])
        }
    }

    package static func insert(
        _ key: StoredKey, in repository: RepoID, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO repo_trusted_keys
                (key_id, repo_id, name, algorithm, fingerprint, public_key, added_by_subject, added_at)
            VALUES (\(key.id), \(repository), \(key.name), \(key.algorithm), \(key.fingerprint), \(key.pem),
                \(key.addedBy), \(key.addedAt))
            """)
    }

    package static func remove(
        _ id: TrustedKeyID, by subject: Subject, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE repo_trusted_keys SET removed_at = \(now), removed_by_subject = \(subject)
            WHERE key_id = \(id) AND removed_at IS NULL
            """)
    }
}
