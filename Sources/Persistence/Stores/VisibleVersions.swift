// The table of who sees what, as a condition of a statement. It says the same as ``Visibility/byCoordinate(_:_:)``: a
// test compares the two. Source: architecture, section 5.

package import Domain

package enum VisibleVersions {
    /// Versions `v` with what may hide them, `q`.
    package static let source: SQL = """
        package_versions v LEFT JOIN quarantine_items q ON q.version_id = v.version_id
        """
    package static let condition: SQL = "v.state = 'published' AND (q.status IS NULL OR q.status = 'released')"

    /// That no other package has version `v`, in a state in which it decides what is seen of it.
    ///
    /// - Parameter packages: the same package in members of a virtual repository that come first; mostly none.
    static func isNotShadowed(by packages: [PackageID]) -> SQL {
        guard !packages.isEmpty else { return "" }
        return """
            AND NOT EXISTS (SELECT 1 FROM package_versions o
                WHERE o.package_id \(.isOneOf(packages)) AND o.version = v.version AND o.state = 'published')
            """
    }

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

    package init(items: [Item], next: Position?) {
        self.items = items
        self.next = next
    }
}

extension PackageStore {
    package struct Filter: Hashable, Sendable {
        package var type: String?
        package var namespace: String?

        package init(type: String? = nil, namespace: String? = nil) {
            self.type = type
            self.namespace = namespace
        }

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
        let page = try self.everyPackage(filter, in: repository, after: position, limit: limit, transaction)
        return Page(
            items: page.items.compactMap { found in
                found.highestVersion.map { ListedPackage(name: found.name, highestVersion: $0) }
            }, next: page.next)
    }

    /// A package of one of several repositories that are read as one.
    private struct Found {
        let id: PackageID
        let name: PackageName
        /// Nil if no version can be seen.
        let highestVersion: String?
    }

    /// The same over several repositories: a package is in the list once, with the highest version that is not shadowed by
    /// an earlier repository.
    package static func page(
        _ filter: Filter, in repositories: [RepoID], after position: PackageName?, limit: Int,
        _ transaction: borrowing Transaction
    ) throws -> Page<ListedPackage, PackageName> {
        if repositories.count == 1 {
            return try self.page(filter, in: repositories[0], after: position, limit: limit, transaction)
        }
        var found: [Place: [Found]] = [:]
        var end: Place?
        for repository in repositories {
            let page = try self.everyPackage(filter, in: repository, after: position, limit: limit, transaction)
            for package in page.items { found[Place(package.name), default: []].append(package) }
            // Beyond the end of the shortest page, packages of that repository may be missing.
            if let next = page.next.map(Place.init) { end = min(end ?? next, next) }
        }
        let places = found.keys.sorted().filter { place in end.map { place <= $0 } ?? true }
        let chosen = places.prefix(limit)
        let items = try chosen.compactMap { place -> ListedPackage? in
            let packages = found[place] ?? []
            let highest =
                packages.count == 1
                ? packages[0].highestVersion
                : try VersionStore.page(
                    ofEach: packages.map(\.id), after: nil, descending: true, limit: 1, transaction
                ).first?.version
            return highest.map { ListedPackage(name: packages[0].name, highestVersion: $0) }
        }
        let isEnd = end == nil && chosen.count == places.count
        return Page(items: items, next: isEnd ? nil : chosen.last.flatMap { found[$0]?.first?.name })
    }

    /// Where a package is in the list.
    private struct Place: Hashable, Comparable {
        let parts: [Name]

        init(_ name: PackageName) { self.parts = [Name(name.type), Name(name.namespace ?? ""), Name(name.name)] }

        static func < (left: Self, right: Self) -> Bool { left.parts.lexicographicallyPrecedes(right.parts) }
    }

    private static func everyPackage(
        _ filter: Filter, in repository: RepoID, after position: PackageName?, limit: Int,
        _ transaction: borrowing Transaction
    ) throws -> Page<Found, PackageName> {
        let start: SQL =
            position.map { "AND (package_type, namespace, name) > (\($0.type), \($0.namespace ?? ""), \($0.name))" }
            ?? ""
        let rows = try transaction.all(
            """
            SELECT page.package_type, page.namespace, page.name, page.display_name,
                \(VisibleVersions.highest(of: "page.package_id")), page.package_id
            FROM (SELECT package_id, package_type, namespace, name, display_name FROM packages
                WHERE repo_id = \(repository) \(filter.condition) \(start)
                ORDER BY package_type, namespace, name LIMIT \(limit)) page
            ORDER BY page.package_type, page.namespace, page.name
            """
        ) { row in
            let namespace: String = try row[1]
            return Found(
                id: try row[5],
                name: PackageName(
                    type: try row[0], namespace: namespace.isEmpty ? nil : namespace, name: try row[2],
                    displayName: try row[3] as String?), highestVersion: try row[4])
        }
        return Page(items: rows, next: rows.count == limit ? rows.last?.name : nil)
    }
}

extension VersionStore {
    /// Visible versions in the format's order of a package that several repositories have. The first repository that has a
    /// version decides whether it is visible.
    ///
    /// - Parameter packages: one for each repository, in the order of the repositories.
    package static func page(
        ofEach packages: [PackageID], after position: (sortKey: [UInt8], id: VersionID)?, descending: Bool, limit: Int,
        _ transaction: borrowing Transaction
    ) throws -> [ListedVersion] {
        if packages.count == 1 {
            return try self.page(
                of: packages[0], after: position, descending: descending, limit: limit, transaction)
        }
        var versions: [ListedVersion] = []
        for (index, package) in packages.enumerated() {
            versions += try self.page(
                of: package, shadowedBy: Array(packages[..<index]), after: position, descending: descending,
                limit: limit,
                transaction)
        }
        versions.sort { left, right in
            if left.sortKey == right.sortKey { return descending ? left.id > right.id : left.id < right.id }
            return left.sortKey.lexicographicallyPrecedes(right.sortKey) != descending
        }
        return Array(versions.prefix(limit))
    }

    /// Visible versions of a package in its format's order.
    ///
    /// - Parameter others: packages whose versions of the same name hide those of this one.
    package static func page(
        of package: PackageID, shadowedBy others: [PackageID] = [],
        after position: (sortKey: [UInt8], id: VersionID)?, descending: Bool, limit: Int,
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
                \(VisibleVersions.isNotShadowed(by: others))
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
