// What the loops and the handlers of a running server share.

import HTTP
import Synchronization

final class ServerCore: Sendable {
    let configuration: Server.Configuration
    let statistics: Server.Statistics
    let handler: @Sendable (Request) async throws -> Response
    /// Handlers that run.
    let tasks = Atomic(0)
    /// Requests that have begun and whose answers haven't been sent; far below zero once no more may begin.
    private let exchanges = Atomic(0)
    /// Requests under way may end.
    let isDraining = Atomic(false)
    /// They may not: a connection that was suspended now would never be resumed.
    let isStopping = Atomic(false)

    init(
        _ configuration: Server.Configuration, _ statistics: Server.Statistics,
        _ handler: @escaping @Sendable (Request) async throws -> Response
    ) {
        (self.configuration, self.statistics, self.handler) = (configuration, statistics, handler)
    }

    /// Counts a request that begins.
    ///
    /// - Returns: false where it may not, since the server is ending.
    func enter() -> Bool {
        guard self.exchanges.add(1, ordering: .acquiringAndReleasing).newValue > 0 else {
            self.exchanges.subtract(1, ordering: .relaxed)
            return false
        }
        self.statistics.begin()
        return true
    }

    /// Counts a request that has ended.
    func leave() {
        self.exchanges.subtract(1, ordering: .releasing)
        self.statistics.end()
    }

    /// Lets no further request begin, if none is under way: one that came in between would go unanswered.
    ///
    /// - Returns: whether the doors are closed.
    func closeIfIdle() -> Bool {
        let (closed, found) = self.exchanges.compareExchange(
            expected: 0, desired: .min / 2, ordering: .acquiringAndReleasing)
        return closed || found < 0
    }
}
