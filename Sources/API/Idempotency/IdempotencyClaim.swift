// A key that a request under way wants to take, in the transaction of what it does.

import Domain
import Persistence
import Registry
import Synchronization
import Threads

package final class IdempotencyClaim: Sendable {
    /// Another request has the key. Never leaves the API.
    struct Taken: Fault {
        let description = "another request has the idempotency key"
    }

    let key: IdempotencyKey
    let bodyHash: String
    private let now: Timestamp
    private let settled = Mutex(false)

    init(_ key: IdempotencyKey, bodyHash: String, clock: WallClock) {
        self.key = key
        self.bodyHash = bodyHash
        self.now = clock.now()
    }

    /// Keys older than this have expired.
    var cutoff: Timestamp { self.now + -IdempotencySweep.lifetime }

    /// Whether a mutation was committed with the key and its answer.
    var isSettled: Bool { self.settled.withLock { $0 } }

    func settle() { self.settled.withLock { $0 = true } }

    /// Waits for a rival who has the key in hand.
    ///
    /// - Throws: ``Taken``.
    func take(_ transaction: borrowing Transaction) throws {
        guard
            try IdempotencyStore.claim(
                self.key, bodyHash: self.bodyHash, at: self.now, expiredBefore: self.cutoff, transaction)
        else { throw Taken() }
    }
}
