// Keeps callers from waiting for a server that is down: after some failed connections in a row all are refused at once,
// but for one a second, which tries again. (Architecture, I8.)

import Persistence
import Synchronization

final class Breaker: Sendable {
    private struct State {
        /// Connections that failed since somebody was served.
        var failures = 0
        var nextProbe: ContinuousClock.Instant?
        var reason = ""
    }

    static let pause = Duration.seconds(1)
    /// One failure may be of a server that is up and has no room for one more connection.
    static let threshold = 3

    private let state = Mutex(State())

    /// - Throws: `unavailable` where the server is known to be down, and another has tried within the last second.
    func admit() throws(DatabaseFault) {
        let refusal: String? = self.state.withLock { state in
            guard let nextProbe = state.nextProbe else { return nil }
            let now = ContinuousClock.now
            if now < nextProbe { return "down, and not tried again within a second: \(state.reason)" }
            state.nextProbe = now + Self.pause
            return nil
        }
        if let refusal { throw .unavailable(refusal) }
    }

    /// A connection couldn't be made.
    ///
    /// - Parameter isCertain: whether the server is known not to answer.
    func failed(_ fault: DatabaseFault, isCertain: Bool = false) {
        self.state.withLock { state in
            state.failures += 1
            state.reason = "\(fault)"
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
