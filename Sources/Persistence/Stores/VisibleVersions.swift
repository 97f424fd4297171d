// The table of who sees what, as a condition of a statement. It says the same as ``Visibility/byCoordinate(_:_:)``: a
// test compares the two. Source: architecture, section 5.

package import Domain

package enum VisibleVersions {
    /// Versions `v` with what may hide them, `q`.
    package static let source: SQL = """
        package_versions v LEFT JOIN quarantine_items q ON q.version_id = v.version_id
        """
    package static let condition: SQL = "v.state = 'published' AND (q.status IS NULL OR q.status = 'released')"

    /// The highest visible version of the package in the column `package`, by its format's order; NULL where there is
    /// none.
    package static func highest(of package: SQL) -> SQL {
        """
        (SELECT v.version FROM \(self.source) WHERE v.package_id = \(package) AND \(self.condition)
            ORDER BY v.sort_key DESC, v.version_id DESC LIMIT 1)
        """
    }
}

/// A package with a visible version.
package struct ListedPackage: Hashable, Sendable {
    package let name: PackageName
    package let highestVersion: String
}

/// A visible version.
package struct ListedVersion: Hashable, Sendable {
    package let id: VersionID
    package let version: String
    package let sortKey: [UInt8]
    package let publishedAt: Timestamp
    package let publishedBy: String?
}

/// A page of a list, and where the next one begins; nil at the end.
package struct Page<Item: Sendable, Position: Sendable>: Sendable {
    package let items: [Item]
    package let next: Position?

    package init(items: [Item], next: Position?) { (self.items, self.next) = (items, next) }
}

extension PackageStore {
    package struct Filter: Hashable, Sendable {
        package var type: String?
        package var namespace: String?

        package init(type: String? = nil, namespace: String? = nil) { (self.type, self.namespace) = (type, namespace) }

        fileprivate var condition: SQL {
            let type: SQL = self.type.map { "AND package_type = \($0)" } ?? ""
            let namespace: SQL = self.namespace.map { "AND namespace = \($0)" } ?? ""
            return "\(type) \(namespace)"
        }
    }

    /// Packages by type, namespace and name: a step through the index, whatever can be seen of them.
    ///
    /// - Returns: those with a visible version among the next `limit`.
    package static func page(
        _ filter: Filter, in repository: RepoID, after position: PackageName?, limit: Int,
        _ transaction: borrowing Transaction
    ) throws -> Page<ListedPackage, PackageName> {
        let start: SQL =
            position.map { "AND (package_type, namespace, name) > (\($0.type), \($0.namespace ?? ""), \($0.name))" }
            ?? ""
        let rows = try transaction.all(
            """
            SELECT page.package_type, page.namespace, page.name, page.display_name,
                \(VisibleVersions.highest(of: "page.package_id"))
            FROM (SELECT package_id, package_type, namespace, name, display_name FROM packages
                WHERE repo_id = \(repository) \(filter.condition) \(start)
                ORDER BY package_type, namespace, name LIMIT \(limit)) page
            ORDER BY page.package_type, page.namespace, page.name
            """
        ) { row in
            let namespace: String = try row[1]
            return (
                PackageName(
                    type: try row[0], namespace: namespace.isEmpty ? nil : namespace, name: try row[2],
                    displayName: try row[3] as String?), try row[4] as String?
            )
        }
        return Page(
            items: rows.compactMap { name, version in
                version.map { ListedPackage(name: name, highestVersion: $0) }
            }, next: rows.count == limit ? rows.last?.0 : nil)
    }
}

extension VersionStore {
    /// Visible versions of a package in its format's order.
    package static func page(
        of package: PackageID, after position: (sortKey: [UInt8], id: VersionID)?, descending: Bool, limit: Int,
        _ transaction: borrowing Transaction
    ) throws -> [ListedVersion] {
        let (comparison, direction): (SQL, SQL) = descending ? ("<", "DESC") : (">", "ASC")
        let start: SQL =
            position.map { "AND (v.sort_key, v.version_id) \(comparison) (\($0.sortKey), \($0.id))" } ?? ""
        return try transaction.all(
            """
            SELECT v.version_id, v.version, v.sort_key, v.published_at, v.published_by_subject
            FROM \(VisibleVersions.source)
            WHERE v.package_id = \(package) AND \(VisibleVersions.condition) \(start)
            ORDER BY v.sort_key \(direction), v.version_id \(direction) LIMIT \(limit)
            """
        ) { row in
            ListedVersion(
                id: try row[0], version: try row[1], sortKey: try row[2], publishedAt: try row[3],
                publishedBy: try row[4])
        }
    }

    /// What is known of a version beside ``PackageVersion``.
    package struct Circumstances: Hashable, Sendable {
        package let createdBy: String
        package let publishedBy: String?
        package let tombstonedAt: Timestamp?
        package let tombstoneReason: String?
        package let retentionUntil: Timestamp?
        package let quarantine: QuarantineStatus?
        package let tags: [String]
    }

    /// - Throws: `not_found`.
    package static func circumstances(
        of id: VersionID, _ transaction: borrowing Transaction
    ) throws -> Circumstances {
        let tags = try transaction.all(
            "SELECT tag FROM package_tags WHERE version_id = \(id) ORDER BY tag", as: { try $0[0] as String })
        let found = try transaction.first(
            """
            SELECT v.created_by_subject, v.published_by_subject, v.tombstoned_at, v.tombstone_reason, t.retention_until,
                q.status
            FROM \(VisibleVersions.source) LEFT JOIN tombstones t ON t.version_id = v.version_id
            WHERE v.version_id = \(id)
            """
        ) { row in
            Circumstances(
                createdBy: try row[0], publishedBy: try row[1], tombstonedAt: try row[2], tombstoneReason: try row[3],
                retentionUntil: try row[4], quarantine: try row[5], tags: tags)
        }
        guard let found else { throw Refusal.notFound("The package version") }
        return found
    }
}

extension VersionContentStore {
    /// Entries by path.
    package static func entries(
        of version: VersionID, after path: String?, limit: Int, _ transaction: borrowing Transaction
    ) throws -> Page<ArtifactEntry, String> {
        let entries = try transaction.all(
            """
            SELECT \(self.entryColumns) FROM artifact_entries
            WHERE version_id = \(version) AND relative_path > \(path ?? "") ORDER BY relative_path LIMIT \(limit)
            """, as: { try self.entry(row: $0) })
        return Page(items: entries, next: entries.count == limit ? entries.last?.path.text : nil)
    }
}
