// Commits of the one process that has the database (HTTP contract, section 9, row 35), counted.

import Synchronization

/// Counts after COMMIT and before any caller is answered: after the answer the number is another one.
final class CommitCounter: Sendable {
    private let count = Atomic<UInt64>(0)

    var value: UInt64 { self.count.load(ordering: .acquiring) }

    func advance() { self.count.add(1, ordering: .acquiringAndReleasing) }
}
