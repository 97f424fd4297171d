// Keeps callers from waiting for a server that is down: after a failed connection all are refused at once, but for one
// a second, which tries again. (Architecture, I8.)

import Persistence
import Synchronization

final class Breaker: Sendable {
    private struct State {
        var nextProbe: ContinuousClock.Instant?
        var lastSuccess: ContinuousClock.Instant?
        var reason = ""
    }

    static let pause = Duration.seconds(1)

    private let state = Mutex(State())

    /// - Throws: `unavailable` where the server is known to be down, and another has tried within the last second.
    func admit() throws(DatabaseFault) {
        let refusal: String? = self.state.withLock { state in
            guard let nextProbe = state.nextProbe else { return nil }
            let now = ContinuousClock.now
            if now < nextProbe { return state.reason }
            state.nextProbe = now + Self.pause
            return nil
        }
        if let refusal { throw .unavailable(refusal) }
    }

    /// A connection couldn't be made. Where others have just been served, the server is up but has no room for more.
    func failed(_ fault: DatabaseFault) {
        self.state.withLock { state in
            let now = ContinuousClock.now
            if state.nextProbe == nil, let last = state.lastSuccess, now - last < Self.pause { return }
            state.nextProbe = now + Self.pause
            state.reason = "\(fault)"
        }
    }

    func succeeded() {
        self.state.withLock { state in
            state.nextProbe = nil
            state.lastSuccess = .now
        }
    }
}
