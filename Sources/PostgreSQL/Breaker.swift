// Keeps callers from waiting for a server that is down: after some failed connections in a row all are refused at once,
// but for one a second, which tries again. (Architecture, I8.)

import Persistence
import Synchronization

final class Breaker: Sendable {
    private struct State {
        /// Connections that failed since the last one that worked.
        var failures = 0
        var nextProbe: ContinuousClock.Instant?
        var reason = ""
        /// When an epoch ended last.
        var epochEnd: ContinuousClock.Instant?
    }

    static let pause = Duration.seconds(1)
    /// One failure may be of a server that is up and has no room for one more connection.
    static let threshold = 3

    private let state = Mutex(State())
    /// Grows when a server turned out to be read-only: connections made before then are replaced, since they may lead to
    /// a server that is no longer the primary.
    private let currentEpoch = Atomic(0)

    var epoch: Int { self.currentEpoch.load(ordering: .acquiring) }

    /// Ends `epoch`, but at most one a second: where the server stays read-only, writes that are rejected do not keep
    /// replacing the connections of reads. Of connections that find out at the same time the first one counts.
    func endEpoch(_ epoch: Int) {
        self.state.withLock { state in
            let now = ContinuousClock.now
            guard epoch == self.epoch, state.epochEnd.map({ now - $0 > Self.pause }) ?? true else { return }
            state.epochEnd = now
            self.currentEpoch.add(1, ordering: .releasing)
        }
    }

    /// - Throws: `unavailable` where the server is known to be down, and another has tried within the last second.
    func admit() throws(DatabaseFault) {
        let refusal: String? = self.state.withLock { state in
            guard let nextProbe = state.nextProbe else { return nil }
            let now = ContinuousClock.now
            if now < nextProbe { return "not tried again within a second: \(state.reason)" }
            state.nextProbe = now + Self.pause
            return nil
        }
        if let refusal { throw .unavailable(refusal) }
    }

    /// A connection could not be made.
    ///
    /// - Parameter isCertain: whether the server is known not to answer.
    func failed(_ fault: DatabaseFault, isCertain: Bool = false) {
        self.state.withLock { state in
            state.failures += 1
            state.reason = fault.detail
            if isCertain || state.failures >= Self.threshold { state.nextProbe = .now + Self.pause }
        }
    }

    func succeeded() {
        self.state.withLock { state in
            state.failures = 0
            state.nextProbe = nil
        }
    }
}
