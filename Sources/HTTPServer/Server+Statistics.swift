// What a server has done and is doing, for its metrics.

import Synchronization

extension Server {
    /// Counters to be read from any thread at any time. Bytes are those of bodies, not of heads and encryption.
    package final class Statistics: Sendable {
        private let open = Atomic(0)
        private let accepted = Atomic(0)
        private let inFlight = Atomic(0)
        private let begun = Atomic(0)
        private let received = Atomic(0)
        private let sent = Atomic(0)
        private let rejected = Atomic(0)
        private let evicted = Atomic(0)
        private let turned = Atomic(0)

        package init() {}

        package var openConnections: Int { self.open.load(ordering: .relaxed) }
        package var acceptedConnections: Int { self.accepted.load(ordering: .relaxed) }
        /// Requests that have begun and whose answers have not been sent.
        package var requestsInFlight: Int { self.inFlight.load(ordering: .relaxed) }
        package var requests: Int { self.begun.load(ordering: .relaxed) }
        package var bytesIn: Int { self.received.load(ordering: .relaxed) }
        /// Of a file, what the kernel has taken; of anything else, what was handed to the connection.
        package var bytesOut: Int { self.sent.load(ordering: .relaxed) }

        /// Requests that the server answered without a handler's answer.
        package var rejections: Int { self.rejected.load(ordering: .relaxed) }
        /// Idle connections that were closed to make room for others.
        package var evictions: Int { self.evicted.load(ordering: .relaxed) }
        /// Connections that were closed at once, because their client's address had too many.
        package var turnedAway: Int { self.turned.load(ordering: .relaxed) }

        func connect() {
            self.open.add(1, ordering: .relaxed)
            self.accepted.add(1, ordering: .relaxed)
        }

        func disconnect() { self.open.subtract(1, ordering: .relaxed) }

        func begin() {
            self.inFlight.add(1, ordering: .relaxed)
            self.begun.add(1, ordering: .relaxed)
        }

        func end() { self.inFlight.subtract(1, ordering: .relaxed) }

        /// Counts a request that is answered at once.
        func answer() { self.begun.add(1, ordering: .relaxed) }

        func reject() { self.rejected.add(1, ordering: .relaxed) }

        func evict() { self.evicted.add(1, ordering: .relaxed) }

        func turnAway() { self.turned.add(1, ordering: .relaxed) }

        func receive(_ count: Int) { self.received.add(count, ordering: .relaxed) }

        func send(_ count: Int) { self.sent.add(count, ordering: .relaxed) }
    }
}
