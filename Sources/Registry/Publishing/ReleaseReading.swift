// Releases on record, for those who may know of every repository that they touch.

package import Domain
package import Persistence

package struct ReleaseReading: Sendable {
    /// Steps through the index that a page may take to find something that can be seen.
    private static let steps = 20

    private let database: any Database

    package init(database: any Database) { self.database = database }

    /// - Throws: `not_found`, also for one that touches a repository of which the caller may know nothing.
    package func release(_ id: ReleaseID, for caller: Caller) async throws -> PublishedRelease {
        let found = try await self.database.read { try ReleaseStore.find(id, of: caller.tenant, $0) }
        let repositories = caller.releaseRepositories.map { Set($0) }
        guard let (release, versions) = found,
            versions.allSatisfy({ version in repositories.map { $0.contains(version.repo) } ?? true })
        else { throw Refusal.notFound("The release") }
        return PublishedRelease(release: release, versions: versions, isRepeated: true)
    }

    /// The newest first.
    package func releases(
        before position: ReleaseID?, limit: Int, for caller: Caller
    ) async throws -> Page<StoredRelease, ReleaseID> {
        let repositories = caller.releaseRepositories
        if repositories?.isEmpty == true { return Page(items: [], next: nil) }
        return try await self.database.read { transaction in
            var position = position
            for _ in 0..<Self.steps {
                let page = try ReleaseStore.page(
                    of: caller.tenant, in: repositories, before: position, limit: limit, transaction)
                if !page.items.isEmpty || page.next == nil { return page }
                position = page.next
            }
            return Page(items: [], next: position)
        }
    }
}
