// The log of what happened in a repository, for those who follow it. Rules: HTTP contract, section 9, row 37.

import Domain
package import Persistence
import Synchronization

package struct EventPage: Sendable {
    package let events: [StoredEvent]
    /// Up to where the log was looked through: the next page begins behind it.
    package let next: Int64
    package let latest: Int64
}

/// Ends the waiting of those who follow events, when the process is about to end.
package final class FeedEnd: Sendable {
    private static let channel = Channel("feed_end")

    private let switchboard = Switchboard()
    private let hasCome = Mutex(false)

    package init() {}

    package func come() {
        self.hasCome.withLock { $0 = true }
        self.switchboard.wake([Self.channel])
    }

    fileprivate var isReached: Bool { self.hasCome.withLock { $0 } }

    fileprivate var wakeUps: WakeUps { self.switchboard.listen(Self.channel) }
}

package struct EventFeed: Sendable {
    /// Without a wake-up (they can be lost), the log is looked at so often.
    private static let interval = Duration.seconds(5)

    private let resolving: Resolving
    private let database: any Database
    private let end: FeedEnd

    package init(resolving: Resolving, database: any Database, end: FeedEnd) {
        self.resolving = resolving
        self.database = database
        self.end = end
    }

    /// Events behind `seq`, or the oldest ones for nil. Where there are none, waits for the first.
    ///
    /// The caller's leave is asked for again each time the log is looked at.
    ///
    /// - Parameter timeout: how long to wait.
    /// - Throws: `unauthorized`, `forbidden`, `not_found`; `gone` where the events behind `seq` are no longer kept.
    package func page(
        in place: PackageReading.Place, after seq: Int64?, limit: Int, waiting timeout: Duration
    ) async throws -> EventPage {
        let end = ContinuousClock.now + timeout
        let wakeUps = [self.database.listen(EventLog.channel), self.end.wakeUps]
        var position = seq
        while true {
            let page = try await self.look(in: place, after: position, limit: limit)
            if !page.events.isEmpty || Task.isCancelled || self.end.isReached { return page }
            let isBehind = page.next < page.latest  // a whole page of events that are withheld
            position = page.next
            if isBehind { continue }
            let left = end - .now
            guard left > .zero else { return page }
            await withTaskGroup(of: Void.self) { group in
                for wakeUps in wakeUps { group.addTask { await wakeUps.wait(upTo: min(left, Self.interval)) } }
                await group.next()
                group.cancelAll()
            }
        }
    }

    private func look(in place: PackageReading.Place, after seq: Int64?, limit: Int) async throws -> EventPage {
        let repository = try await self.resolving.scope(
            of: place.repo, for: place.credential, correlation: place.correlation)
        return try await self.database.read { transaction in
            let (oldest, latest) = try EventStore.bounds(of: repository.id, transaction)
            let start = seq ?? oldest - 1
            guard start >= oldest - 1 else {
                throw Refusal(
                    .gone, "The events behind \(start) are no longer kept: the oldest is \(oldest).",
                    ["oldestSeq": JSON(oldest), "latestSeq": JSON(latest)])
            }
            let events = try EventStore.page(of: repository.id, after: start, limit: limit, transaction)
            return EventPage(
                events: events.filter { $0.kind.isShown($0.quarantine) }, next: events.last?.seq ?? max(start, 0),
                latest: latest)
        }
    }
}
