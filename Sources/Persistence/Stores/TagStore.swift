// Tags: the only mutable pointers, with the history of their changes. Source: architecture, section 5.

package import Domain

/// Where a tag points.
package struct StoredTag: Hashable, Sendable {
    package let package: PackageID
    package let name: String
    package let version: VersionID
    /// The version's text.
    package let versionText: String
    /// Grows with each change, also over a deletion: its entity tag.
    package let revision: Int
    package let updatedAt: Timestamp
    package let updatedBy: String?
}

/// One change of a tag.
package struct TagChange: Hashable, Sendable {
    package let id: Int64
    package let from: VersionID?
    package let to: VersionID?
    /// The versions' texts, as long as they are kept.
    package let fromText: String?
    package let toText: String?
    package let actor: String
    package let occurredAt: Timestamp
}

package enum TagStore {
    private static let columns: SQL = """
        g.package_id, g.tag, g.version_id, \(text(of: "g.version_id")), g.revision, g.updated_at, g.updated_by_subject
        """

    private static func text(of version: SQL) -> SQL {
        "(SELECT t.version FROM package_versions t WHERE t.version_id = \(version))"
    }

    // MARK: - Reading

    /// Where a tag points.
    package static func current(
        _ tag: String, of package: PackageID, _ transaction: borrowing Transaction
    ) throws -> VersionID? {
        try transaction.first(
            "SELECT version_id FROM package_tags WHERE package_id = \(package) AND tag = \(tag)",
            as: { try $0[0] as VersionID })
    }

    /// Where a tag points, its row locked.
    package static func locked(
        _ tag: String, of package: PackageID, _ transaction: borrowing Transaction
    ) throws -> VersionID? {
        try transaction.first(
            "SELECT version_id FROM package_tags WHERE package_id = \(package) AND tag = \(tag) \(.forUpdate)",
            as: { try $0[0] as VersionID })
    }

    package static func find(
        _ tag: String, of package: PackageID, _ transaction: borrowing Transaction, lock: SQLClause? = nil
    ) throws -> StoredTag? {
        try transaction.first(
            """
            SELECT \(self.columns) FROM package_tags g WHERE g.package_id = \(package) AND g.tag = \(tag)
            \(lock ?? .noLock)
            """, as: { try self.tag(row: $0) })
    }

    /// Those that point at a version, locked.
    package static func tags(
        at version: VersionID, _ transaction: borrowing Transaction
    ) throws -> [StoredTag] {
        try transaction.all(
            """
            SELECT \(self.columns) FROM package_tags g WHERE g.version_id = \(version) ORDER BY g.tag \(.forUpdate)
            """, as: { try self.tag(row: $0) })
    }

    /// Tags that point at visible versions, by name, of a package that several repositories have. The first repository
    /// with the tag at a version that is neither a draft nor tombstoned decides.
    ///
    /// - Parameter packages: one for each repository, in the order of the repositories.
    package static func page(
        ofEach packages: [PackageID], after name: String?, limit: Int, _ transaction: borrowing Transaction
    ) throws -> Page<StoredTag, String> {
        var tags: [StoredTag] = []
        for (index, package) in packages.enumerated() {
            tags += try self.page(
                of: package, shadowedBy: Array(packages[..<index]), after: name, limit: limit, transaction
            ).items
        }
        tags = Array(tags.sorted { Name($0.name) < Name($1.name) }.prefix(limit))
        return Page(items: tags, next: tags.count == limit ? tags.last?.name : nil)
    }

    /// Tags of a package that point at visible versions, by name.
    ///
    /// - Parameter others: packages whose tags of the same name hide those of this one.
    package static func page(
        of package: PackageID, shadowedBy others: [PackageID] = [], after name: String?, limit: Int,
        _ transaction: borrowing Transaction
    ) throws -> Page<StoredTag, String> {
        let isNotShadowed: SQL =
            others.isEmpty
            ? ""
            : """
            AND NOT EXISTS (SELECT 1 FROM package_tags f JOIN package_versions o ON o.version_id = f.version_id
                WHERE f.package_id \(.isOneOf(others)) AND f.tag = g.tag AND o.state = 'published')
            """
        let tags = try transaction.all(
            """
            SELECT \(self.columns) FROM package_tags g JOIN package_versions v ON v.version_id = g.version_id
            LEFT JOIN quarantine_items q ON q.version_id = v.version_id
            WHERE g.package_id = \(package) AND g.tag > \(name ?? "") AND \(VisibleVersions.condition)
                \(isNotShadowed)
            ORDER BY g.tag LIMIT \(limit)
            """, as: { try self.tag(row: $0) })
        return Page(items: tags, next: tags.count == limit ? tags.last?.name : nil)
    }

    /// The newest change first.
    package static func history(
        of tag: String, of package: PackageID, before id: Int64?, limit: Int, _ transaction: borrowing Transaction
    ) throws -> Page<TagChange, Int64> {
        let changes = try transaction.all(
            """
            SELECT h.history_id, h.from_version_id, h.to_version_id, \(self.text(of: "h.from_version_id")),
                \(self.text(of: "h.to_version_id")), h.actor, h.occurred_at
            FROM package_tag_history h
            WHERE h.package_id = \(package) AND h.tag = \(tag) AND h.history_id < \(id ?? .max)
            ORDER BY h.history_id DESC LIMIT \(limit)
            """
        ) { row in
            TagChange(
                id: try row[0], from: try row[1], to: try row[2], fromText: try row[3], toText: try row[4],
                actor: try row[5], occurredAt: try row[6])
        }
        return Page(items: changes, next: changes.count == limit ? changes.last?.id : nil)
    }

    private static func tag(row: borrowing Row) throws -> StoredTag {
        StoredTag(
            package: try row[0], name: try row[1], version: try row[2], versionText: try row[3], revision: try row[4],
            updatedAt: try row[5], updatedBy: try row[6])
    }

    /// Refuses a new tag whose name looks like that of another one of the package.
    ///
    /// - Precondition: the package's row is locked.
    /// - Throws: `confusable_name`.
    package static func refuseConfusable(
        _ tag: String, of package: PackageID, in repository: Repository, _ transaction: borrowing Transaction
    ) throws {
        try repository.refuse(tag, as: "tag") {
            try transaction.all(
                "SELECT tag FROM package_tags WHERE package_id = \(package) AND \(NameKey.isMistakable("tag"))",
                as: { try $0[0] as String })
        }
    }

    // MARK: - Changing

    /// - Precondition: the package's row is locked, and the tag points at `former`.
    package static func point(
        _ tag: String, of package: PackageID, to version: VersionID, from former: VersionID?, by subject: Subject,
        at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        if former == nil {
            // A tag that comes back goes on counting: an entity tag of before never fits again.
            try transaction.execute(
                """
                INSERT INTO package_tags (package_id, tag, version_id, revision, updated_at, updated_by_subject)
                SELECT \(package), \(tag), \(version), count(*) + 1, \(now), \(subject) FROM package_tag_history
                WHERE package_id = \(package) AND tag = \(tag)
                """)
        } else {
            try transaction.execute(
                """
                UPDATE package_tags SET version_id = \(version), revision = revision + 1, updated_at = \(now),
                    updated_by_subject = \(subject)
                WHERE package_id = \(package) AND tag = \(tag)
                """)
        }
        try self.remember(tag, of: package, from: former, to: version, by: subject, at: now, transaction)
    }

    /// - Precondition: the package's row is locked.
    package static func remove(
        _ tag: StoredTag, by subject: Subject, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute("DELETE FROM package_tags WHERE package_id = \(tag.package) AND tag = \(tag.name)")
        try self.remember(tag.name, of: tag.package, from: tag.version, to: nil, by: subject, at: now, transaction)
    }

    private static func remember(
        _ tag: String, of package: PackageID, from former: VersionID?, to version: VersionID?, by subject: Subject,
        at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO package_tag_history (package_id, tag, from_version_id, to_version_id, actor, occurred_at)
            VALUES (\(package), \(tag), \(former), \(version), \(subject), \(now))
            """)
    }
}
