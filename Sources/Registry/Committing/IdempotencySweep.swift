// Idempotency keys that have had their day. Rules: HTTP contract, section 9, row 20.

import Domain
package import Persistence
package import Threads

package struct IdempotencySweep: Sendable {
    /// In seconds: how long a key is remembered.
    package static let lifetime: Int64 = 24 * 3600

    private static let batch = 1000

    private let database: any Database
    private let clock: WallClock

    package init(database: any Database, clock: WallClock) {
        self.database = database
        self.clock = clock
    }

    /// - Returns: how many keys were forgotten.
    @discardableResult
    package func run() async throws -> Int {
        let cutoff = self.clock.now() + -Self.lifetime
        var total = 0
        while true {
            let count = try await self.database.transaction {
                $0.allowReserve()
                return try IdempotencyStore.sweep(before: cutoff, limit: Self.batch, $0)
            }
            total += count
            if count < Self.batch { return total }
        }
    }
}
