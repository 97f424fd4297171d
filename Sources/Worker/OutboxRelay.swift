// From events to jobs: each publication makes its version's search job. Rules: HTTP contract, 4.1, 4.3 and section 9,
// row 8: every event is handled separately.

import Domain
package import Persistence
package import Threads

package struct OutboxRelay: Sendable {
    /// What one sweep has done, in events.
    package struct Sweep: Hashable, Sendable {
        package var claimed = 0
        package var enqueued = 0
        package var delivered = 0
        /// Postponed, or failed for good.
        package var requeued = 0

        package init(claimed: Int = 0, enqueued: Int = 0, delivered: Int = 0, requeued: Int = 0) {
            self.claimed = claimed
            self.enqueued = enqueued
            self.delivered = delivered
            self.requeued = requeued
        }
    }

    /// In seconds: how long what cannot be handled is put off.
    private static let postponement: Int64 = 300

    private let database: any Database
    private let clock: WallClock
    private let batch: Int
    private let maxAttempts: Int

    /// - Parameter maxAttempts: after so many deliveries an event that cannot be handled has failed for good, and is kept.
    package init(database: any Database, clock: WallClock, batch: Int, maxAttempts: Int) {
        self.database = database
        self.clock = clock
        self.batch = batch
        self.maxAttempts = maxAttempts
    }

    /// Handles what is due, at most a batch.
    package func sweep() async throws -> Sweep {
        let now = self.clock.now()
        let lease = Lease(from: now, seconds: Outbox.leaseSeconds)
        let events = try await self.database.transaction { [batch] in
            try Outbox.claim(lease, at: now, limit: batch, $0)
        }
        var sweep = Sweep(claimed: events.count)
        guard !events.isEmpty else { return sweep }
        var (good, malformed): ([Routed], [OutboxEvent]) = ([], [])
        for event in events {
            if let version = Self.version(of: event) {
                good.append(Routed(event: event, version: version))
            } else {
                malformed.append(event)
            }
        }
        for event in malformed {
            try await self.putOff(event, because: "malformed: no version id", under: lease)
            sweep.requeued += 1
        }
        do {
            let count = try await self.deliver(good, under: lease)
            (sweep.enqueued, sweep.delivered) = (count, count)
        } catch let fault as DatabaseFault where !fault.isOfTheDatabase {
            // One of them is bad: the others go on without it.
            for routed in good {
                do {
                    let count = try await self.deliver([routed], under: lease)
                    sweep.enqueued += count
                    sweep.delivered += count
                } catch let fault as DatabaseFault where !fault.isOfTheDatabase {
                    try await self.putOff(routed.event, because: FaultText.of(fault), under: lease)
                    sweep.requeued += 1
                }
            }
        }
        return sweep
    }

    private struct Routed {
        let event: OutboxEvent
        let version: VersionID
    }

    /// Nil for an event that names no version.
    private static func version(of event: OutboxEvent) -> VersionID? {
        let id = UniqueID(event.aggregateID) ?? event.payload["versionId"]?.text.flatMap { UniqueID($0) }
        return id.map { VersionID($0) }
    }

    /// - Returns: how many were still under this lease.
    private func deliver(_ events: [Routed], under lease: Lease) async throws -> Int {
        guard !events.isEmpty else { return 0 }
        return try await self.database.transaction { [now = self.clock.now()] transaction in
            var delivered: [Routed] = []
            for routed in events where try Outbox.deliver(routed.event, under: lease, at: now, transaction) {
                delivered.append(routed)
            }
            // Of two events of one version the last request counts; in one order, so that rivals do not wait for each
            // other in a ring.
            try transaction.execute(each: delivered.sorted { $0.version < $1.version }) {
                SearchJobStore.request($0.version, of: $0.event.tenant, at: now)
            }
            return delivered.count
        }
    }

    private func putOff(_ event: OutboxEvent, because error: String, under lease: Lease) async throws {
        try await self.database.transaction { [now = self.clock.now(), maxAttempts] transaction in
            if event.attempts >= maxAttempts {
                try Outbox.bury(event, because: error, under: lease, at: now, transaction)
            } else {
                try Outbox.putOff(event, until: now + Self.postponement, because: error, under: lease, transaction)
            }
        }
    }
}
