// The processes of an installation.

package import Domain

/// Processes and their last sign of life.
package enum InstanceStore {
    package static func recordHeartbeat(_ id: UniqueID, at now: Timestamp, _ transaction: borrowing Transaction) throws
    {
        try transaction.execute(
            """
            INSERT INTO instances (instance_id, started_at, seen_at) VALUES (\(id), \(now), \(now))
            ON CONFLICT (instance_id) DO UPDATE SET seen_at = excluded.seen_at
            """)
    }

    /// Makes every other process count as dead at once.
    package static func forgetOthers(
        than id: UniqueID, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute("DELETE FROM instances WHERE instance_id <> \(id)")
        let epoch = Timestamp(microseconds: 0)
        try transaction.execute(
            "UPDATE staged_objects SET created_at = \(epoch) WHERE owner IS NULL OR owner <> \(id)")
    }

    /// Forgets a process that has ended.
    package static func forget(_ id: UniqueID, _ transaction: borrowing Transaction) throws {
        try transaction.execute("DELETE FROM instances WHERE instance_id = \(id)")
    }

    /// When a process last gave a sign of life; nil if there is none.
    package static func lastSign(_ transaction: borrowing Transaction) throws -> Timestamp? {
        try transaction.first(
            "SELECT seen_at FROM instances ORDER BY seen_at DESC LIMIT 1", as: { try $0[0] as Timestamp })
    }

    package static func forget(seenBefore cutoff: Timestamp, _ transaction: borrowing Transaction) throws {
        try transaction.execute(
            """
            DELETE FROM instances WHERE seen_at < \(cutoff)
                AND NOT EXISTS (SELECT 1 FROM staged_objects s WHERE s.owner = instances.instance_id)
            """)
    }
}
