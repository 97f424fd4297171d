// Coordinates of published versions that were deleted permanently: nothing is published there again. Rules: HTTP contract,
// section 9, row 27.

package import Domain

package struct RetiredCoordinate: Hashable, Sendable {
    package let coordinate: Coordinate
    package let retiredAt: Timestamp
    package let retiredBy: String?
}

package enum RetiredCoordinateStore {
    /// To be called in the transaction that deletes a published version.
    package static func retire(
        _ coordinate: Coordinate, in repository: RepoID, by subject: Subject, at now: Timestamp,
        _ transaction: borrowing Transaction
    ) throws {
        let package = coordinate.package
        try transaction.execute(
            """
            INSERT INTO retired_coordinates
                (repo_id, package_type, namespace, name, version, retired_at, retired_by_subject)
            VALUES (\(repository), \(package.type), \(package.namespace ?? ""), \(package.name), \(coordinate.version),
                \(now), \(subject))
            ON CONFLICT (repo_id, package_type, namespace, name, version) DO NOTHING
            """)
    }

    package static func isRetired(
        _ coordinate: Coordinate, in repository: RepoID, _ transaction: borrowing Transaction
    ) throws -> Bool {
        try transaction.first(
            "SELECT 1 FROM retired_coordinates WHERE \(self.names(coordinate, in: repository))", as: { _ in true })
            ?? false
    }

    /// - Throws: `coordinate_retired`.
    package static func refuse(
        _ coordinate: Coordinate, in repository: RepoID, _ transaction: borrowing Transaction
    ) throws {
        guard try self.isRetired(coordinate, in: repository, transaction) else { return }
        throw Refusal(
            .coordinateRetired,
            "Version '\(coordinate.version)' of '\(coordinate.package.name)' was published and deleted: it cannot be "
                + "published again. A tenant administrator can lift this.")
    }

    /// The retired versions of a package.
    package static func versions(
        of package: PackageName, in repository: RepoID, _ transaction: borrowing Transaction
    ) throws -> [String] {
        try transaction.all(
            """
            SELECT version FROM retired_coordinates WHERE repo_id = \(repository) AND package_type = \(package.type)
                AND namespace = \(package.namespace ?? "") AND name = \(package.name)
            """, as: { try $0[0] as String })
    }

    /// By type, namespace, name and version.
    package static func page(
        of repository: RepoID, after position: Coordinate?, limit: Int, _ transaction: borrowing Transaction
    ) throws -> Page<RetiredCoordinate, Coordinate> {
        let start: SQL =
            position.map { position in
                let package = position.package
                return """
                    AND (package_type, namespace, name, version)
                        > (\(package.type), \(package.namespace ?? ""), \(package.name), \(position.version))
                    """
            } ?? ""
        let retired = try transaction.all(
            """
            SELECT package_type, namespace, name, version, retired_at, retired_by_subject FROM retired_coordinates
            WHERE repo_id = \(repository) \(start) ORDER BY package_type, namespace, name, version LIMIT \(limit)
            """
        ) { row in
            let namespace: String = try row[1]
            let package = PackageName(
                type: try row[0], namespace: namespace.isEmpty ? nil : namespace, name: try row[2])
            return RetiredCoordinate(
                coordinate: Coordinate(package, version: try row[3], sortKey: []), retiredAt: try row[4],
                retiredBy: try row[5])
        }
        return Page(items: retired, next: retired.count == limit ? retired.last?.coordinate : nil)
    }

    /// - Returns: whether it was retired.
    package static func lift(
        _ coordinate: Coordinate, in repository: RepoID, _ transaction: borrowing Transaction
    ) throws -> Bool {
        try transaction.execute("DELETE FROM retired_coordinates WHERE \(self.names(coordinate, in: repository))") > 0
    }

    private static func names(_ coordinate: Coordinate, in repository: RepoID) -> SQL {
        let package = coordinate.package
        return """
            repo_id = \(repository) AND package_type = \(package.type) AND namespace = \(package.namespace ?? "")
                AND name = \(package.name) AND version = \(coordinate.version)
            """
    }
}
