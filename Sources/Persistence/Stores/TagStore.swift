// Tags: the only mutable pointers, with the history of their changes. Source: architecture, section 5.

package import Domain

package enum TagStore {
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
            VALUES (\(package), \(tag), \(version), 1, \(now), \(subject))
            ON CONFLICT (package_id, tag) DO UPDATE SET version_id = excluded.version_id,
                revision = package_tags.revision + 1, updated_at = excluded.updated_at,
                updated_by_subject = excluded.updated_by_subject
            """)
        try self.remember(tag, of: package, from: former, to: version, by: subject, at: now, transaction)
    }

    package static func remove(
        _ tag: String, of package: PackageID, from former: VersionID, by subject: Subject, at now: Timestamp,
        _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute("DELETE FROM package_tags WHERE package_id = \(package) AND tag = \(tag)")
        try self.remember(tag, of: package, from: former, to: nil, by: subject, at: now, transaction)
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
