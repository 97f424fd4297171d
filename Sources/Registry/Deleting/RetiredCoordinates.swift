// Coordinates that are burned: shown, and lifted by a tenant administrator. Rules: HTTP contract, section 9, row 27.

package import Domain
package import Persistence
package import Threads

package struct RetiredCoordinates: Sendable {
    private let database: any Database
    private let clock: WallClock

    package init(database: any Database, clock: WallClock) {
        self.database = database
        self.clock = clock
    }

    /// By type, namespace, name and version.
    ///
    /// - Throws: `not_found` for the repository.
    package func list(
        after position: Coordinate?, limit: Int, under grant: Grant
    ) async throws -> Page<RetiredCoordinate, Coordinate> {
        try await self.database.read { transaction in
            let repository = try RepositoryStore.require(grant.repo, of: grant.tenant, transaction)
            return try RetiredCoordinateStore.page(of: repository.id, after: position, limit: limit, transaction)
        }
    }

    /// Lets a coordinate be published again.
    ///
    /// - Throws: `not_found` for the repository, or where the coordinate is not retired.
    package func lift(
        _ coordinate: Coordinate, in key: RepoKey, under grant: TenantGrant, commit: Commit<Coordinate>
    ) async throws -> Coordinate {
        try await commit { [now = self.clock.now()] transaction in
            let repository = try RepositoryStore.require(key, of: grant.tenant, transaction)
            guard try RetiredCoordinateStore.lift(coordinate, in: repository.id, transaction) else {
                throw Refusal.notFound("The retired coordinate")
            }
            let package = coordinate.package
            try AuditLog.append(
                AuditEntry(
                    "package.coordinate.lifted", on: "repo", key,
                    [
                        "repoKey": key.text, "packageType": package.type, "packageNamespace": package.namespace ?? "",
                        "packageName": package.name, "version": coordinate.version,
                    ]), by: grant.caller, at: now, transaction)
            return coordinate
        }
    }
}
