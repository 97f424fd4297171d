// Commits of the one process that has the database (HTTP contract, section 9, row 35), counted.

import Synchronization

/// Counts after COMMIT and before anybody is told: whoever was told of a commit sees another number.
final class CommitCounter: Sendable {
    private let count = Atomic<UInt64>(0)

    var value: UInt64 { self.count.load(ordering: .acquiring) }

    func advance() { self.count.add(1, ordering: .acquiringAndReleasing) }
}
