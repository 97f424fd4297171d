// Tags: the only mutable pointers, with the history of their changes. Source: architecture, section 5.

package import Domain

package struct StoredTag: Hashable, Sendable {
    package let package: PackageID
    package let name: String
    package let version: VersionID
    /// Grows with each change, also over a deletion: its entity tag.
    package let revision: Int
    package let updatedAt: Timestamp
    package let updatedBy: String?
}

package enum TagStore {
    private static let columns: SQL = "package_id, tag, version_id, revision, updated_at, updated_by_subject"

    private static func tag(row: borrowing Row) throws -> StoredTag {
        StoredTag(
            package: try row[0], name: try row[1], version: try row[2], revision: try row[3], updatedAt: try row[4],
            updatedBy: try row[5])
    }

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

    package static func point(
        _ tag: String, of package: PackageID, to version: VersionID, from former: VersionID?, by subject: Subject,
        at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO package_tags (package_id, tag, version_id, revision, updated_at, updated_by_subject)
            SELECT \(package), \(tag), \(version), count(*) + 1, \(now), \(subject) FROM package_tag_history
            WHERE package_id = \(package) AND tag = \(tag)
            ON CONFLICT (package_id, tag) DO UPDATE SET version_id = excluded.version_id,
                revision = package_tags.revision + 1, updated_at = excluded.updated_at,
                updated_by_subject = excluded.updated_by_subject
            """)
        try self.remember(tag, of: package, from: former, to: version, by: subject, at: now, transaction)
    }

    /// - Returns: those that point at a version, locked.
    package static func tags(
        at version: VersionID, _ transaction: borrowing Transaction
    ) throws -> [StoredTag] {
        try transaction.all(
            "SELECT \(self.columns) FROM package_tags WHERE version_id = \(version) ORDER BY tag \(.forUpdate)",
            as: { try self.tag(row: $0) })
    }

    package static func remove(
        _ tag: StoredTag, from former: VersionID, by subject: Subject, at now: Timestamp,
        _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute("DELETE FROM package_tags WHERE package_id = \(tag.package) AND tag = \(tag.name)")
        try self.remember(tag.name, of: tag.package, from: former, to: nil, by: subject, at: now, transaction)
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
