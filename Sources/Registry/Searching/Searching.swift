// Finding packages. The resolver decides who may read.

package import Domain
package import Persistence

package struct Searching: Sendable {
    private let resolving: Resolving
    private let database: any Database

    package init(resolving: Resolving, database: any Database) {
        self.resolving = resolving
        self.database = database
    }

    /// - Throws: `unauthorized`, `forbidden`, `not_found`; `service_unavailable` where the index is damaged.
    package func page(
        _ request: SearchRequest, in place: PackageReading.Place, limit: Int, offset: Int, countsTypes: Bool
    ) async throws -> SearchPage {
        let scope = try await self.resolving.scope(
            of: place.repo, for: place.credential, correlation: place.correlation)
        do {
            return try await self.database.read { transaction in
                try SearchStore.page(
                    request, in: SearchPlace(scope.members.map(\.id)), limit: limit, offset: offset,
                    countsTypes: countsTypes, transaction)
            }
        } catch DatabaseFault.other {
            throw Refusal(
                .serviceUnavailable, "The search index is damaged: an operator can rebuild it. All else works.")
        }
    }
}
