// Keeps the log of events and the outbox bounded. Rules: HTTP contract, section 9, row 37 (`events.retentionDays`).

import Domain
package import Persistence
package import Threads

package struct EventRetention: Sendable {
    private static let batch = 1000

    private let database: any Database
    private let clock: WallClock
    private let days: Int

    /// - Parameter days: how long events are kept, and outbox rows after their delivery.
    package init(database: any Database, clock: WallClock, days: Int) {
        self.database = database
        self.clock = clock
        self.days = days
    }

    /// - Returns: how many rows were deleted.
    @discardableResult
    package func run() async throws -> Int {
        let cutoff = self.clock.now() + -Int64(self.days) * 86400
        return try await self.pruneOutbox(before: cutoff) + self.pruneEvents(before: cutoff)
    }

    private func pruneOutbox(before cutoff: Timestamp) async throws -> Int {
        try await self.all { try Outbox.prune(deliveredBefore: cutoff, limit: Self.batch, $0) }
    }

    private func pruneEvents(before cutoff: Timestamp) async throws -> Int {
        var (total, last): (Int, RepoID?) = (0, nil)
        while true {
            let repositories = try await self.database.lookup { [last] in
                try EventStore.outdated(before: cutoff, after: last, limit: Self.batch, $0)
            }
            for repository in repositories {
                total += try await self.all { try EventStore.prune(repository, before: cutoff, limit: Self.batch, $0) }
            }
            last = repositories.last
            if repositories.count < Self.batch { return total }
        }
    }

    /// Batch after batch, each a transaction, so that other writers do not wait long.
    private func all(_ prune: @escaping @Sendable (borrowing Transaction) throws -> Int) async throws -> Int {
        var total = 0
        while true {
            let count = try await self.database.transaction {
                $0.allowReserve()
                return try prune($0)
            }
            total += count
            if count < Self.batch { return total }
        }
    }
}
