// What is said of versions' bytes, and which trusted keys have signed it. Rows are added, never changed: a trigger says
// so too.

package import Domain

package struct StoredAttestation: Hashable, Sendable {
    package struct Signer: Hashable, Sendable {
        package let key: TrustedKeyID
        package let name: String
        package let algorithm: String
        package let fingerprint: String
        package let verifiedAt: Timestamp
    }

    package let id: AttestationID
    package let kind: AttestationKind
    /// Of the document.
    package let digest: BlobDigest
    /// In bytes.
    package let length: Int
    package let storageKey: StorageKey
    package let predicateType: String?
    package let addedBy: String
    package let addedAt: Timestamp
    /// The version's files that it is about.
    package var paths: [String] = []
    /// Trusted keys with which it was verified: none if no key that the repository trusts has signed it.
    package var signers: [Signer] = []

    package var isVerified: Bool { !self.signers.isEmpty }
}

package enum AttestationStore {
    // MARK: - Reading

    /// Those of a version, the oldest first.
    ///
    /// - Parameter id: the only one that is wanted; nil for all.
    package static func attestations(
        of version: VersionID, only id: AttestationID? = nil, _ transaction: borrowing Transaction
    ) throws -> [StoredAttestation] {
        let condition: SQL =
            id.map { "a.version_id = \(version) AND a.attestation_id = \($0)" }
            ?? "a.version_id = \(version)"
        var found = try transaction.all(
            """
            SELECT a.attestation_id, a.kind, a.blob_digest, b.length_bytes, b.storage_key, a.predicate_type,
                a.added_by_subject, a.added_at
            FROM attestations a JOIN blobs b ON b.digest = a.blob_digest WHERE \(condition) ORDER BY a.attestation_id
            """
        ) { row in
            StoredAttestation(
                id: try row[0], kind: try row[1], digest: try row[2], length: try row[3], storageKey: try row[4],
                predicateType: try row[5], addedBy: try row[6], addedAt: try row[7])
        }
        if found.isEmpty { return [] }
        let signers = Dictionary(grouping: try self.signers(where: condition, transaction), by: \.0)
        let paths = Dictionary(grouping: try self.paths(where: condition, transaction), by: \.0)
        for index in found.indices {
            found[index].signers = signers[found[index].id]?.map(\.1) ?? []
            found[index].paths = paths[found[index].id]?.map(\.1) ?? []
        }
        return found
    }

    private static func signers(
        where condition: SQL, _ transaction: borrowing Transaction
    ) throws -> [(AttestationID, StoredAttestation.Signer)] {
        try transaction.all(
            """
            SELECT g.attestation_id, k.key_id, k.name, k.algorithm, k.fingerprint, g.verified_at
            FROM attestations a JOIN attestation_signers g ON g.attestation_id = a.attestation_id
            JOIN repo_trusted_keys k ON k.key_id = g.key_id AND k.removed_at IS NULL
            WHERE \(condition) ORDER BY k.key_id
            """
        ) { row in
            (
                try row[0],
                StoredAttestation.Signer(
                    key: try row[1], name: try row[2], algorithm: try row[3], fingerprint: try row[4],
                    verifiedAt: try row[5])
            )
        }
    }

    private static func paths(
        where condition: SQL, _ transaction: borrowing Transaction
    ) throws -> [(AttestationID, String)] {
        try transaction.all(
            """
            SELECT a.attestation_id, e.relative_path
            FROM attestations a JOIN artifact_entries e ON e.version_id = a.version_id
            JOIN attestation_subjects s ON s.attestation_id = a.attestation_id AND s.digest = e.blob_digest
            WHERE \(condition) ORDER BY e.relative_path LIMIT 10000
            """, as: { (try $0[0], try $0[1]) })
    }

    package static func count(of version: VersionID, _ transaction: borrowing Transaction) throws -> Int {
        try transaction.first(
            "SELECT COUNT(*) FROM attestations WHERE version_id = \(version)", as: { try $0[0] as Int }) ?? 0
    }

    package static func find(
        _ document: AttestationDocument, digest: BlobDigest, of version: VersionID, _ transaction: borrowing Transaction
    ) throws -> AttestationID? {
        try transaction.first(
            """
            SELECT attestation_id FROM attestations WHERE version_id = \(version) AND kind = \(document.kind)
                AND blob_digest = \(digest) AND signed_digest = \(document.signedDigest?.hex ?? "")
            """, as: { try $0[0] as AttestationID })
    }

    /// Whether the version has such files, and every one of them is the subject of an attestation of this predicate
    /// type (of whatever type for nil) with a signature by a key that a repository trusts now. For policy rules.
    ///
    /// - Parameter repository: whose trust counts; nil for the version's own.
    package static func isAttested(
        _ version: VersionID, as predicateType: String?, trustedBy repository: RepoID? = nil,
        _ transaction: borrowing Transaction
    ) throws -> Bool {
        let trust: SQL =
            repository.map { repository in
                """
                AND EXISTS (SELECT 1 FROM repo_trusted_keys o WHERE o.repo_id = \(repository)
                    AND o.fingerprint = k.fingerprint AND o.removed_at IS NULL)
                """
            } ?? "AND k.removed_at IS NULL"
        let type: SQL = predicateType.map { "AND a.predicate_type = \($0)" } ?? ""
        let counts = try transaction.first(
            """
            SELECT COUNT(*), COUNT(CASE WHEN EXISTS (
                SELECT 1 FROM attestations a
                JOIN attestation_subjects s ON s.attestation_id = a.attestation_id AND s.digest = e.blob_digest
                JOIN attestation_signers g ON g.attestation_id = a.attestation_id
                JOIN repo_trusted_keys k ON k.key_id = g.key_id \(trust)
                WHERE a.version_id = e.version_id \(type)) THEN 1 END)
            FROM artifact_entries e WHERE e.version_id = \(version)
            """, as: { (files: try $0[0] as Int, attested: try $0[1] as Int) })
        return counts.map { $0.files > 0 && $0.attested == $0.files } ?? false
    }

    /// Those of `digests` that are a version's: of its files, or of its manifest's original.
    package static func known(
        _ digests: [BlobDigest], of version: VersionID, _ transaction: borrowing Transaction
    ) throws -> Set<BlobDigest> {
        let texts = digests.map(\.hex)
        return Set(
            try transaction.all(
                """
                SELECT blob_digest FROM artifact_entries
                WHERE version_id = \(version) AND blob_digest \(.isOneOf(texts))
                UNION SELECT blob_digest FROM manifests
                WHERE version_id = \(version) AND blob_digest \(.isOneOf(texts))
                """, as: { try $0[0] as BlobDigest }))
    }

    /// Where the bytes are to which a signature alone belongs.
    package static func bytes(
        _ digest: BlobDigest, _ transaction: borrowing Transaction
    ) throws -> (key: StorageKey, length: Int)? {
        try transaction.first(
            "SELECT storage_key, length_bytes FROM blobs WHERE digest = \(digest) AND state <> 'deleting'",
            as: { (try $0[0], try $0[1]) })
    }

    // MARK: - Writing

    /// - Precondition: the document's blob row is there, and the version's row locked.
    package static func insert(
        _ document: AttestationDocument, id: AttestationID, digest: BlobDigest, of version: VersionID,
        by subject: Subject, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO attestations (attestation_id, version_id, kind, blob_digest, signed_digest, predicate_type,
                added_by_subject, added_at)
            VALUES (\(id), \(version), \(document.kind), \(digest), \(document.signedDigest?.hex ?? ""),
                \(document.predicateType), \(subject), \(now))
            """)
        try transaction.execute(each: document.subjects) { subject in
            "INSERT INTO attestation_subjects (attestation_id, digest) VALUES (\(id), \(subject))"
        }
    }

    /// Keeps by which keys it was verified. One that is trusted no more is left out.
    ///
    /// - Returns: how many are new.
    package static func sign(
        _ id: AttestationID, with keys: [TrustedKeyID], at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> Int {
        try transaction.execute(each: keys) { key in
            """
            INSERT INTO attestation_signers (attestation_id, key_id, verified_at)
            SELECT \(id), key_id, \(now) FROM repo_trusted_keys WHERE key_id = \(key) AND removed_at IS NULL
            ON CONFLICT (attestation_id, key_id) DO NOTHING
            """
        }
    }

    /// Gives a version what another one with the same files has. A signature counts there where that repository trusts
    /// the key too.
    ///
    /// - Precondition: both versions' rows are locked, and the documents' blobs referred to.
    package static func copy(
        from source: VersionID, to target: VersionID, in repository: RepoID, at now: Timestamp,
        _ transaction: borrowing Transaction
    ) throws {
        let originals = try transaction.all(
            "SELECT attestation_id FROM attestations WHERE version_id = \(source) ORDER BY attestation_id",
            as: { try $0[0] as AttestationID })
        let pairs = originals.map { ($0, AttestationID(at: now)) }
        try transaction.execute(each: pairs) { original, copy in
            """
            INSERT INTO attestations (attestation_id, version_id, kind, blob_digest, signed_digest, predicate_type,
                added_by_subject, added_at)
            SELECT \(copy), \(target), kind, blob_digest, signed_digest, predicate_type, added_by_subject, added_at
            FROM attestations WHERE attestation_id = \(original)
            """
        }
        try transaction.execute(each: pairs) { original, copy in
            """
            INSERT INTO attestation_subjects (attestation_id, digest)
            SELECT \(copy), digest FROM attestation_subjects WHERE attestation_id = \(original)
            """
        }
        try transaction.execute(each: pairs) { original, copy in
            """
            INSERT INTO attestation_signers (attestation_id, key_id, verified_at)
            SELECT \(copy), o.key_id, \(now) FROM attestation_signers g
            JOIN repo_trusted_keys k ON k.key_id = g.key_id
            JOIN repo_trusted_keys o ON o.repo_id = \(repository) AND o.fingerprint = k.fingerprint
                AND o.removed_at IS NULL
            WHERE g.attestation_id = \(original)
            ON CONFLICT (attestation_id, key_id) DO NOTHING
            """
        }
    }

    /// Of a version's documents, each once, in their order.
    package static func digests(
        of version: VersionID, _ transaction: borrowing Transaction
    ) throws -> [BlobDigest] {
        try transaction.all(
            "SELECT DISTINCT blob_digest FROM attestations WHERE version_id = \(version) ORDER BY blob_digest",
            as: { try $0[0] as BlobDigest })
    }
}
