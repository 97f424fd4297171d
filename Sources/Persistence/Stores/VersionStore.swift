// Packages, their versions, entries and manifests. Rules: HTTP contract, 3.5, 6.1 and 8.2; architecture, section 5.

package import Domain

/// A version's row.
package struct VersionRow: Hashable, Sendable {
    package let id: VersionID
    package let package: PackageID
    package let version: String
    package let state: VersionState
    package let publishedAt: Timestamp?
}

package enum PackageStore {
    /// The package's row, created on first need, and locked: versions and tags of one package change one after another.
    package static func locked(
        _ name: PackageName, in repository: Repository, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> PackageID {
        if let id = try self.find(name, in: repository.id, transaction, lock: .forNoKeyUpdate) { return id }
        try transaction.execute(
            """
            INSERT INTO packages (package_id, tenant_id, repo_id, package_type, namespace, name, display_name, created_at)
            VALUES (\(PackageID(at: now)), \(repository.tenant), \(repository.id), \(name.type),
                \(name.namespace ?? ""), \(name.name), \(name.displayName), \(now))
            ON CONFLICT (repo_id, package_type, namespace, name) DO NOTHING
            """)
        guard let id = try self.find(name, in: repository.id, transaction, lock: .forNoKeyUpdate) else {
            throw DatabaseFault.contention("package \(name.name) was deleted meanwhile")
        }
        return id
    }

    package static func find(
        _ name: PackageName, in repository: RepoID, _ transaction: borrowing Transaction, lock: SQLClause? = nil
    ) throws -> PackageID? {
        try transaction.first(
            """
            SELECT package_id FROM packages WHERE repo_id = \(repository) AND package_type = \(name.type)
                AND namespace = \(name.namespace ?? "") AND name = \(name.name)
            \(lock ?? .either(postgreSQL: "", sqlite: ""))
            """, as: { try $0[0] as PackageID })
    }
}

package enum VersionStore {
    package static func insertDraft(
        _ id: VersionID, of package: PackageID, in repository: Repository, version: String, sortKey: [UInt8],
        sealing: Sealing, by subject: Subject, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO package_versions (version_id, tenant_id, repo_id, package_id, version, sort_key, state, sealing,
                created_by_subject, created_at)
            VALUES (\(id), \(repository.tenant), \(repository.id), \(package), \(version), \(sortKey), 'draft',
                \(sealing), \(subject), \(now))
            """)
    }

    /// - Precondition: the version is a draft, its row locked.
    package static func publish(
        _ id: VersionID, by subject: Subject, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE package_versions SET state = 'published', published_at = \(now), published_by_subject = \(subject)
            WHERE version_id = \(id) AND state = 'draft'
            """)
    }

    package static func tombstone(
        _ id: VersionID, tenant: TenantID, reason: String, until retention: Timestamp, by subject: Subject,
        at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE package_versions SET state = 'tombstoned', tombstoned_at = \(now), tombstone_reason = \(reason)
            WHERE version_id = \(id) AND state IN ('draft', 'published')
            """)
        try transaction.execute(
            """
            INSERT INTO tombstones (version_id, tenant_id, reason, tombstoned_by_subject, tombstoned_at, retention_until)
            VALUES (\(id), \(tenant), \(reason), \(subject), \(now), \(retention))
            """)
    }

    /// The version that was made last, by its sort key.
    package static func latest(of package: PackageID, _ transaction: borrowing Transaction) throws -> VersionRow? {
        try transaction.first(
            """
            SELECT version_id, package_id, version, state, published_at FROM package_versions
            WHERE package_id = \(package) ORDER BY sort_key DESC LIMIT 1
            """
        ) { row in
            VersionRow(
                id: try row[0], package: try row[1], version: try row[2], state: try row[3], publishedAt: try row[4])
        }
    }

    package static func insertEntry(
        _ path: RelativePath, _ blob: Blob, contentType: String?, of version: VersionID, at now: Timestamp,
        _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO artifact_entries
                (version_id, relative_path, blob_digest, checksum_sha256, size_bytes, content_type, created_at)
            VALUES (\(version), \(path), \(blob.digest), \(blob.digest), \(blob.length), \(contentType), \(now))
            """)
    }

    package static func insertManifest(
        _ manifest: JSON, of version: VersionID, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            "INSERT INTO manifests (version_id, manifest, updated_at) VALUES (\(version), \(manifest), \(now))")
    }

    /// The digest of the one file of a version that has one file.
    package static func singleDigest(
        of version: VersionID, _ transaction: borrowing Transaction
    ) throws -> BlobDigest? {
        try transaction.first(
            "SELECT blob_digest FROM artifact_entries WHERE version_id = \(version) LIMIT 1",
            as: { try $0[0] as BlobDigest })
    }
}
