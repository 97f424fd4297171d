// Storage keys for objects that are about to be written. They are recorded before their first byte (architecture,
// section 6), many at a time, so that an upload does not wait for a transaction of its own.

package import Domain
package import Persistence
import Synchronization
package import Threads

/// Keys that this process has recorded and not used yet.
package final class StagingKeys: Sendable {
    private static let batch = 64

    private let database: any Database
    private let clock: WallClock
    /// The owner of the keys: while its heartbeat is fresh, they are not swept.
    package let owner: UniqueID
    private let free = Mutex<[StorageKey]>([])

    package init(database: any Database, clock: WallClock, owner: UniqueID) {
        self.database = database
        self.clock = clock
        self.owner = owner
    }

    /// A key that is recorded and used by no other writer.
    package func take() async throws -> StorageKey {
        if let key = self.free.withLock({ $0.popLast() }) { return key }
        let keys = (0..<Self.batch).map { _ in StorageKey.fresh() }
        try await self.database.transaction { [owner, now = self.clock.now()] transaction in
            try StagedObjectStore.add(keys, owner: owner, at: now, transaction)
        }
        return self.free.withLock { free in
            free += keys.dropFirst()
            return keys[0]
        }
    }

    /// Forgets a key whose object does not exist (any more).
    package func forget(_ key: StorageKey) async throws {
        try await self.database.transaction {
            $0.allowReserve()
            try StagedObjectStore.remove(key, $0)
        }
    }
}
