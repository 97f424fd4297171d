// Entries and manifests: what a version consists of. Whoever writes holds a draft; a trigger says the same again.
// Rules: HTTP contract, 3.5 and 8.2.

package import Domain

package enum VersionContentStore {
    // MARK: - Writing

    /// Adds entries, or replaces those of the same path.
    ///
    /// - Returns: whether anything is other than before.
    @discardableResult
    package static func put(
        _ entries: [ArtifactEntry], into draft: Draft, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> Bool {
        try transaction.execute(each: entries) { entry in
            """
            INSERT INTO artifact_entries (version_id, relative_path, blob_digest, checksum_sha256, checksum_sha1,
                size_bytes, content_type, created_at)
            VALUES (\(draft.id), \(entry.path), \(entry.digest), \(entry.digest), \(entry.sha1), \(entry.length),
                \(entry.contentType), \(now))
            ON CONFLICT (version_id, relative_path) DO UPDATE SET blob_digest = excluded.blob_digest,
                checksum_sha256 = excluded.checksum_sha256, checksum_sha1 = excluded.checksum_sha1,
                size_bytes = excluded.size_bytes, content_type = excluded.content_type
            WHERE artifact_entries.blob_digest <> excluded.blob_digest
                OR artifact_entries.checksum_sha1 IS DISTINCT FROM excluded.checksum_sha1
                OR artifact_entries.content_type IS DISTINCT FROM excluded.content_type
            """
        } > 0
    }

    /// Replaces the manifest, if there is one. It is kept in its canonical form.
    ///
    /// - Parameter blob: the original document's digest.
    /// - Returns: whether anything is other than before.
    @discardableResult
    package static func put(
        _ manifest: JSON, blob: BlobDigest? = nil, into draft: Draft, at now: Timestamp,
        _ transaction: borrowing Transaction
    ) throws -> Bool {
        try transaction.execute(
            """
            INSERT INTO manifests (version_id, manifest, blob_digest, updated_at)
            VALUES (\(draft.id), \(manifest.canonical), \(blob), \(now))
            ON CONFLICT (version_id) DO UPDATE SET manifest = excluded.manifest, blob_digest = excluded.blob_digest,
                updated_at = excluded.updated_at
            WHERE manifests.manifest IS DISTINCT FROM excluded.manifest
                OR manifests.blob_digest IS DISTINCT FROM excluded.blob_digest
            """) > 0
    }

    // MARK: - Reading

    /// What a publish has to know of a version's content.
    package struct Inventory: Sendable {
        /// Of entries and manifest, each once, in their order.
        package var digests: [BlobDigest] = []
        /// Those of entries without a committed upload session in the version's repository, in their order.
        package var uncommitted: [BlobDigest] = []
        package var hasEntries = false
        package var hasManifest = false
    }

    package static func inventory(
        of version: PackageVersion, _ transaction: borrowing Transaction
    ) throws -> Inventory {
        var inventory = Inventory()
        let rows = try transaction.all(
            """
            SELECT used.blob_digest, 1, \(self.isCommitted("used.blob_digest", in: version.repository.id))
            FROM (SELECT DISTINCT blob_digest FROM artifact_entries WHERE version_id = \(version.id)) used
            UNION ALL
            SELECT blob_digest, 0, 1 FROM manifests WHERE version_id = \(version.id)
            """, as: { (try $0[0] as BlobDigest?, try $0[1] as Int == 1, try $0[2] as Int == 1) })
        for (digest, isEntry, isCommitted) in rows {
            if isEntry { inventory.hasEntries = true } else { inventory.hasManifest = true }
            guard let digest else { continue }
            inventory.digests.append(digest)
            if !isCommitted { inventory.uncommitted.append(digest) }
        }
        inventory.digests = Set(inventory.digests).sorted()
        inventory.uncommitted.sort()
        return inventory
    }

    /// Those of `digests` without a committed upload session in the repository, in their order.
    package static func uncommitted(
        _ digests: [BlobDigest], in repository: RepoID, _ transaction: borrowing Transaction
    ) throws -> [BlobDigest] {
        let committed = try transaction.all(
            """
            SELECT DISTINCT committed_blob_digest FROM upload_sessions
            WHERE repo_id = \(repository) AND state = 'committed' AND committed_blob_digest \(.isOneOf(digests.map(\.hex)))
            """, as: { try $0[0] as BlobDigest })
        return Set(digests).subtracting(committed).sorted()
    }

    private static func isCommitted(_ digest: SQL, in repository: RepoID) -> SQL {
        """
        CASE WHEN EXISTS (SELECT 1 FROM upload_sessions s WHERE s.repo_id = \(repository)
            AND s.committed_blob_digest = \(digest) AND s.state = 'committed') THEN 1 ELSE 0 END
        """
    }

    package static func manifest(
        of version: VersionID, _ transaction: borrowing Transaction
    ) throws -> (document: JSON, blob: BlobDigest?)? {
        try transaction.first(
            "SELECT manifest, blob_digest FROM manifests WHERE version_id = \(version)",
            as: { (try $0[0] as JSON? ?? [:], try $0[1] as BlobDigest?) })
    }

    static let entryColumns: SQL = "relative_path, blob_digest, size_bytes, checksum_sha1, content_type"

    static func entry(row: borrowing Row) throws -> ArtifactEntry {
        ArtifactEntry(
            path: try row[0], digest: try row[1], length: try row[2], sha1: try row[3], contentType: try row[4])
    }

    /// The digest of the one file of a version that has one file.
    package static func singleDigest(
        of version: VersionID, _ transaction: borrowing Transaction
    ) throws -> BlobDigest? {
        try transaction.first(
            "SELECT blob_digest FROM artifact_entries WHERE version_id = \(version) LIMIT 1",
            as: { try $0[0] as BlobDigest })
    }

    // MARK: - Comparing and copying

    /// What a policy has to know of a version's files.
    ///
    /// - Parameter isListed: whether the first ones are wanted one by one.
    package static func policyFiles(
        of version: VersionID, isListed: Bool, _ transaction: borrowing Transaction
    ) throws -> PolicyFiles {
        func first(_ condition: SQL, _ order: SQL) throws -> ArtifactEntry? {
            try transaction.first(
                """
                SELECT \(self.entryColumns) FROM artifact_entries
                WHERE version_id = \(version) \(condition) ORDER BY \(order) LIMIT 1
                """, as: { try self.entry(row: $0) })
        }
        let sums = try transaction.first(
            """
            SELECT COUNT(*), CAST(COALESCE(SUM(size_bytes), 0) AS bigint) FROM artifact_entries
            WHERE version_id = \(version)
            """, as: { (count: try $0[0] as Int, length: try $0[1] as Int) })
        return PolicyFiles(
            count: sums?.count ?? 0, totalLength: sums?.length ?? 0,
            largest: try first("", "size_bytes DESC, relative_path"),
            firstWithoutSHA1: try first("AND checksum_sha1 IS NULL", "relative_path")?.path,
            first: isListed
                ? try self.entries(of: version, after: nil, limit: PolicyFiles.listLimit, transaction).items : [])
    }

    /// Whether two versions have the same files and the same manifest.
    package static func isSame(
        _ one: VersionID, as other: VersionID, _ transaction: borrowing Transaction
    ) throws -> Bool {
        func missing(_ here: VersionID, _ there: VersionID) -> SQL {
            """
            SELECT 1 FROM artifact_entries e WHERE e.version_id = \(here) AND NOT EXISTS (
                SELECT 1 FROM artifact_entries o WHERE o.version_id = \(there)
                    AND o.relative_path = e.relative_path AND o.blob_digest = e.blob_digest
                    AND o.content_type IS NOT DISTINCT FROM e.content_type)
            LIMIT 1
            """
        }
        guard try transaction.first(missing(one, other), as: { _ in true }) == nil,
            try transaction.first(missing(other, one), as: { _ in true }) == nil
        else { return false }
        let (mine, others) = (try self.manifest(of: one, transaction), try self.manifest(of: other, transaction))
        return mine?.document.canonical == others?.document.canonical && mine?.blob == others?.blob
    }

    /// Gives a draft the files and the manifest of another version.
    ///
    /// - Precondition: the other version's row is locked, and its blobs referred to.
    package static func copy(
        from source: VersionID, into draft: Draft, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO artifact_entries (version_id, relative_path, blob_digest, checksum_sha256, checksum_sha1,
                size_bytes, content_type, created_at)
            SELECT \(draft.id), relative_path, blob_digest, checksum_sha256, checksum_sha1, size_bytes, content_type,
                \(now)
            FROM artifact_entries WHERE version_id = \(source)
            """)
        try transaction.execute(
            """
            INSERT INTO manifests (version_id, manifest, blob_digest, updated_at)
            SELECT \(draft.id), manifest, blob_digest, \(now) FROM manifests WHERE version_id = \(source)
            """)
    }
}
