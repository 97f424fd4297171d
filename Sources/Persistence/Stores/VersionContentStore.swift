// Entries and manifests: what a version consists of. Writing requires a draft; a trigger enforces the same.
// Rules: HTTP contract, 3.5 and 8.2.

package import Domain

package enum VersionContentStore {
    // MARK: - Writing

    /// Adds entries, or replaces those of the same path.
    ///
    /// - Parameter isCharged: whether their bytes count towards the tenant's quota: false if an upload session does.
    /// - Returns: whether anything is other than before.
    /// - Throws: `confusable_name` for a new path that looks like another one of the version.
    @discardableResult
    package static func put(
        _ entries: [ArtifactEntry], into draft: Draft, isCharged: Bool, at now: Timestamp,
        _ transaction: borrowing Transaction
    ) throws -> Bool {
        try self.refuseConfusable(entries.map(\.path), in: draft, transaction)
        return try transaction.execute(each: entries) { entry in
            """
            INSERT INTO artifact_entries (version_id, relative_path, blob_digest, checksum_sha256, checksum_sha1,
                size_bytes, content_type, created_at, is_charged)
            VALUES (\(draft.id), \(entry.path), \(entry.digest), \(entry.digest), \(entry.sha1), \(entry.length),
                \(entry.contentType), \(now), \(isCharged))
            ON CONFLICT (version_id, relative_path) DO UPDATE SET blob_digest = excluded.blob_digest,
                checksum_sha256 = excluded.checksum_sha256, checksum_sha1 = excluded.checksum_sha1,
                size_bytes = excluded.size_bytes, content_type = excluded.content_type,
                is_charged = excluded.is_charged
            WHERE artifact_entries.blob_digest <> excluded.blob_digest
                OR artifact_entries.checksum_sha1 IS DISTINCT FROM excluded.checksum_sha1
                OR artifact_entries.content_type IS DISTINCT FROM excluded.content_type
            """
        } > 0
    }

    private static func refuseConfusable(
        _ paths: [RelativePath], in draft: Draft, _ transaction: borrowing Transaction
    ) throws {
        guard !draft.version.repository.settings.allowConfusableNames else { return }
        var mistakable: [(path: RelativePath, key: [UInt8])] = []
        for path in paths { if let key = try NameKey.key(of: path.text) { mistakable.append((path, key)) } }
        guard !mistakable.isEmpty else { return }
        let present = try transaction.all(
            """
            SELECT relative_path FROM artifact_entries
            WHERE version_id = \(draft.id) AND \(NameKey.isMistakable("relative_path"))
            """, as: { try $0[0] as RelativePath })
        let known = Set(present)
        var byKey: [[UInt8]: RelativePath] = [:]
        for path in present { if let key = try NameKey.key(of: path.text) { byKey[key] = path } }
        for (path, key) in mistakable where !known.contains(path) {
            if let other = byKey[key], other != path { throw Refusal.confusable(path.text, other.text, "path") }
            byKey[key] = path
        }
    }

    /// Replaces the manifest, if there is one. It is kept in its canonical form.
    ///
    /// - Parameters:
    ///   - blob: the original document's digest.
    ///   - isCharged: as for entries, of the original document.
    /// - Returns: whether anything is other than before.
    @discardableResult
    package static func put(
        _ manifest: JSON, blob: BlobDigest? = nil, into draft: Draft, isCharged: Bool, at now: Timestamp,
        _ transaction: borrowing Transaction
    ) throws -> Bool {
        try transaction.execute(
            """
            INSERT INTO manifests (version_id, manifest, blob_digest, updated_at, is_charged)
            VALUES (\(draft.id), \(manifest.canonical), \(blob), \(now), \(isCharged))
            ON CONFLICT (version_id) DO UPDATE SET manifest = excluded.manifest, blob_digest = excluded.blob_digest,
                updated_at = excluded.updated_at, is_charged = excluded.is_charged
            WHERE manifests.manifest IS DISTINCT FROM excluded.manifest
                OR manifests.blob_digest IS DISTINCT FROM excluded.blob_digest
            """) > 0
    }

    // MARK: - Reading

    /// What a publish has to know of a version's content.
    package struct Inventory: Sendable {
        /// Of entries and manifest, each once, in their order.
        package var digests: [BlobDigest] = []
        /// Those of entries whose blob the version's repository does not have, in their order.
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
            SELECT used.blob_digest, 1,
                CASE WHEN EXISTS (SELECT 1 FROM repository_blobs u WHERE u.digest = used.blob_digest
                        AND u.repo_id = \(version.repository.id) AND u.sessions + u.shown > 0)
                    OR EXISTS (\(self.attested("a.blob_digest = used.blob_digest", in: version.repository.id)))
                THEN 1 ELSE 0 END
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

    /// Those of `digests` whose blob the repository does not show, in their order. It shows what was committed there by an
    /// upload session, and what a version has that is not a draft: as an entry, a manifest or an attestation. What only a
    /// version in quarantine has, it does not show.
    package static func uncommitted(
        _ digests: [BlobDigest], in repository: RepoID, _ transaction: borrowing Transaction
    ) throws -> [BlobDigest] {
        let shown = try transaction.all(
            """
            SELECT digest FROM repository_blobs
            WHERE repo_id = \(repository) AND digest \(.isOneOf(digests.map(\.hex)))
                AND (sessions > 0 OR shown > 0 AND withheld = 0)
            """, as: { try $0[0] as BlobDigest })
        let others = Set(digests).subtracting(shown).sorted()
        if others.isEmpty { return [] }
        let attested = try transaction.all(
            self.attested("a.blob_digest \(.isOneOf(others.map(\.hex)))", in: repository),
            as: { try $0[0] as BlobDigest })
        return Set(others).subtracting(attested).sorted()
    }

    /// The digests of attestations `a` of visible versions. The order of the joins is SQLite's order of work (CROSS JOIN).
    private static func attested(_ condition: SQL, in repository: RepoID) -> SQL {
        """
        SELECT a.blob_digest FROM attestations a CROSS JOIN package_versions v
        LEFT JOIN quarantine_items q ON q.version_id = v.version_id
        WHERE \(condition) AND v.version_id = a.version_id AND v.repo_id = \(repository)
            AND \(VisibleVersions.condition)
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

    /// Gives a draft the files and the manifest of another version. They count towards the tenant's quota again.
    ///
    /// - Precondition: the other version's row is locked, and its blobs referred to.
    package static func copy(
        from source: VersionID, into draft: Draft, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO artifact_entries (version_id, relative_path, blob_digest, checksum_sha256, checksum_sha1,
                size_bytes, content_type, created_at, is_charged)
            SELECT \(draft.id), relative_path, blob_digest, checksum_sha256, checksum_sha1, size_bytes, content_type,
                \(now), \(true)
            FROM artifact_entries WHERE version_id = \(source)
            """)
        try transaction.execute(
            """
            INSERT INTO manifests (version_id, manifest, blob_digest, updated_at, is_charged)
            SELECT \(draft.id), manifest, blob_digest, \(now), \(true) FROM manifests WHERE version_id = \(source)
            """)
    }
}
