// Release sets on record, and the versions that each published.

package import Domain

package struct StoredRelease: Hashable, Sendable {
    package let id: ReleaseID
    package let name: String?
    package let versionCount: Int
    package let publishedBy: String
    package let publishedAt: Timestamp
}

/// A version of a release, with what has become of it.
package struct ReleasedVersion: Hashable, Sendable {
    package let id: VersionID
    package let repo: RepoKey
    package let package: PackageName
    package let version: String
    /// Nil where the version was deleted for good.
    package let state: VersionState?
    package let event: UniqueID?
    package let quarantine: QuarantineID?
    package let quarantineStatus: QuarantineStatus?
}

package enum ReleaseStore {
    package static func insert(
        _ set: ReleaseSet, id: ReleaseID, of versions: [VersionID: PackageVersion], by caller: Caller,
        at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO releases (release_id, tenant_id, name, version_count, published_by_subject, published_at)
            VALUES (\(id), \(caller.tenant), \(set.name), \(set.versions.count), \(caller.subject), \(now))
            """)
        let rows = set.versions.enumerated().compactMap { position, id in versions[id].map { (position, $0) } }
        try transaction.execute(each: rows) { position, version in
            let package = version.coordinate.package
            return """
                INSERT INTO release_versions
                    (release_id, position, version_id, repo_key, package_type, namespace, name, version)
                VALUES (\(id), \(position), \(version.id), \(version.repository.key), \(package.type),
                    \(package.namespace ?? ""), \(package.name), \(version.coordinate.version))
                """
        }
    }

    /// The release that published a version.
    package static func release(
        of version: VersionID, _ transaction: borrowing Transaction
    ) throws -> ReleaseID? {
        try transaction.first(
            "SELECT release_id FROM release_versions WHERE version_id = \(version)", as: { try $0[0] as ReleaseID })
    }

    package static func find(
        _ id: ReleaseID, of tenant: TenantID, _ transaction: borrowing Transaction
    ) throws -> (release: StoredRelease, versions: [ReleasedVersion])? {
        let release = try transaction.first(
            "SELECT \(self.columns) FROM releases WHERE release_id = \(id) AND tenant_id = \(tenant)",
            as: { try self.release(row: $0) })
        guard let release else { return nil }
        let versions = try transaction.all(
            """
            SELECT w.version_id, w.repo_key, w.package_type, w.namespace, w.name, w.version, v.state,
                v.publish_event_id, q.quarantine_id, q.status
            FROM release_versions w LEFT JOIN package_versions v ON v.version_id = w.version_id
            LEFT JOIN quarantine_items q ON q.version_id = w.version_id
            WHERE w.release_id = \(id) ORDER BY w.position
            """
        ) { row in
            let namespace: String = try row[3]
            return ReleasedVersion(
                id: try row[0], repo: try row[1],
                package: PackageName(
                    type: try row[2], namespace: namespace.isEmpty ? nil : namespace, name: try row[4]),
                version: try row[5], state: try row[6], event: try row[7], quarantine: try row[8],
                quarantineStatus: try row[9])
        }
        return (release, versions)
    }

    /// The newest first: a step through the index, whatever may be seen of them.
    ///
    /// - Parameter repositories: a release is left out where it touches another one; nil for every one.
    package static func page(
        of tenant: TenantID, in repositories: [RepoKey]?, before position: ReleaseID?, limit: Int,
        _ transaction: borrowing Transaction
    ) throws -> Page<StoredRelease, ReleaseID> {
        let start: SQL = position.map { "AND release_id < \($0)" } ?? ""
        let isShown: SQL =
            repositories.map { keys in
                """
                NOT EXISTS (SELECT 1 FROM release_versions w
                    WHERE w.release_id = page.release_id AND NOT (w.repo_key \(.isOneOf(keys.map(\.text)))))
                """
            } ?? "true"
        let rows = try transaction.all(
            """
            SELECT \(self.columns), \(isShown) FROM (SELECT * FROM releases WHERE tenant_id = \(tenant) \(start)
                ORDER BY release_id DESC LIMIT \(limit)) page
            ORDER BY page.release_id DESC
            """, as: { (try self.release(row: $0), try $0[5] as Bool) })
        return Page(
            items: rows.compactMap { $1 ? $0 : nil }, next: rows.count == limit ? rows.last?.0.id : nil)
    }

    private static let columns: SQL =
        "release_id, name, version_count, published_by_subject, published_at"

    private static func release(row: borrowing Row) throws -> StoredRelease {
        StoredRelease(
            id: try row[0], name: try row[1], versionCount: try row[2], publishedBy: try row[3],
            publishedAt: try row[4])
    }
}
