// Package versions and their states. Rules: HTTP contract, 3.5, 6.1 and 8.2; architecture, section 5.

package import Domain

package enum VersionStore {
    /// Of a version, its package (if any: foreign SQL makes versions without) and its repository.
    package static let columns: SQL = """
        v.version_id, v.package_id, v.version, v.sort_key, v.state, v.sealing, v.content_revision, v.created_at,
        v.published_at, p.package_type, p.namespace, p.name, p.display_name, r.repo_id, r.tenant_id, r.repo_key,
        r.repo_type, r.config, r.format, r.settings, r.revision, r.created_at, r.updated_at
        """
    package static let source: SQL = """
        package_versions v JOIN repos r ON r.repo_id = v.repo_id LEFT JOIN packages p ON p.package_id = v.package_id
        """
    /// Of the version's row alone.
    private static let lock: SQLClause = .either(postgreSQL: "FOR NO KEY UPDATE OF v", sqlite: "")

    // MARK: - Reading

    /// A version of the tenant's repository; another's counts as absent.
    ///
    /// - Parameter isLocked: its row, until the transaction ends: a rival waits, and then sees what was done.
    /// - Throws: `not_found`.
    package static func require(
        _ id: VersionID, in key: RepoKey, of tenant: TenantID, locked isLocked: Bool = false,
        _ transaction: borrowing Transaction
    ) throws -> PackageVersion {
        let found = try transaction.first(
            """
            SELECT \(self.columns) FROM \(self.source)
            WHERE v.version_id = \(id) AND r.tenant_id = \(tenant) AND r.repo_key = \(key)
            \(isLocked ? self.lock : .noLock)
            """, as: { try self.version(row: $0) })
        guard let found else { throw Refusal.notFound("The package version") }
        return found
    }

    /// A version of the tenant, in whichever repository.
    package static func find(
        _ id: VersionID, of tenant: TenantID, _ transaction: borrowing Transaction
    ) throws -> PackageVersion? {
        try transaction.first(
            "SELECT \(self.columns) FROM \(self.source) WHERE v.version_id = \(id) AND r.tenant_id = \(tenant)",
            as: { try self.version(row: $0) })
    }

    /// The version of that text of a package.
    ///
    /// - Parameter isLocked: whether its row is locked until the transaction ends.
    package static func find(
        _ version: String, of package: PackageID, isLocked: Bool = false, _ transaction: borrowing Transaction
    ) throws -> PackageVersion? {
        try transaction.first(
            """
            SELECT \(self.columns) FROM \(self.source) WHERE v.package_id = \(package) AND v.version = \(version)
            \(isLocked ? self.lock : .noLock)
            """, as: { try self.version(row: $0) })
    }

    /// The highest version of a package, by its sort key, in whatever state.
    package static func latest(
        of package: PackageID, _ transaction: borrowing Transaction
    ) throws -> (id: VersionID, version: String)? {
        try transaction.first(
            """
            SELECT version_id, version FROM package_versions
            WHERE package_id = \(package) ORDER BY sort_key DESC, version_id DESC LIMIT 1
            """, as: { (try $0[0] as VersionID, try $0[1] as String) })
    }

    /// - Parameter start: the first of the 23 columns.
    package static func version(row: borrowing Row, from start: Int = 0) throws -> PackageVersion {
        let repository = Repository(
            id: try row[start + 13], tenant: try row[start + 14], key: try row[start + 15],
            kind: try RepositoryStore.kind(type: try row[start + 16], config: try row[start + 17]),
            format: try row[start + 18], settings: RepositoryStore.settings(try row[start + 19]),
            revision: try row[start + 20], createdAt: try row[start + 21], updatedAt: try row[start + 22])
        let namespace: String? = try row[start + 10]
        let name = try row[start + 11] ?? ""
        return PackageVersion(
            id: try row[start], repository: repository, package: try row[start + 1],
            coordinate: Coordinate(
                PackageName(
                    type: try row[start + 9] ?? "", namespace: namespace == "" ? nil : namespace, name: name,
                    displayName: try row[start + 12] ?? name), version: try row[start + 2], sortKey: try row[start + 3]),
            state: try row[start + 4], sealing: try row[start + 5] ?? .additive, contentRevision: try row[start + 6],
            createdAt: try row[start + 7], publishedAt: try row[start + 8])
    }

    // MARK: - Changing

    /// - Throws: `confusable_name`.
    package static func insertDraft(
        _ coordinate: Coordinate, of package: PackageID, in repository: Repository, sealing: Sealing,
        by subject: Subject, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> Draft {
        try repository.refuse(coordinate.version, as: "version") {
            try transaction.all(
                """
                SELECT version FROM package_versions
                WHERE package_id = \(package) AND \(NameKey.isMistakable("version"))
                """, as: { try $0[0] as String })
        }
        let version = PackageVersion(
            id: VersionID(at: now), repository: repository, package: package, coordinate: coordinate, state: .draft,
            sealing: sealing, contentRevision: 0, createdAt: now, publishedAt: nil)
        try transaction.execute(
            """
            INSERT INTO package_versions (version_id, tenant_id, repo_id, package_id, version, sort_key, state, sealing,
                created_by_subject, created_at)
            VALUES (\(version.id), \(repository.tenant), \(repository.id), \(package), \(coordinate.version),
                \(coordinate.sortKey), 'draft', \(sealing), \(subject), \(now))
            """)
        return try version.draft()
    }

    package static func touch(_ draft: Draft, _ transaction: borrowing Transaction) throws {
        try transaction.execute(
            """
            UPDATE package_versions SET content_revision = content_revision + 1
            WHERE version_id = \(draft.id) AND state = 'draft'
            """)
    }

    package static func publication(
        of draft: Draft, event: UniqueID, by subject: Subject, at now: Timestamp
    ) -> SQL {
        """
        UPDATE package_versions SET state = 'published', published_at = \(now), published_by_subject = \(subject),
            publish_event_id = \(event)
        WHERE version_id = \(draft.id) AND state = 'draft'
        """
    }

    /// - Precondition: the version is a draft or published, its row locked.
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

    /// Until when a tombstoned version is kept.
    package static func retention(
        of id: VersionID, _ transaction: borrowing Transaction
    ) throws -> Timestamp? {
        try transaction.first(
            "SELECT retention_until FROM tombstones WHERE version_id = \(id)", as: { try $0[0] as Timestamp })
    }
}
