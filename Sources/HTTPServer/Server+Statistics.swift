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

        package init() {}

        package var openConnections: Int { self.open.load(ordering: .relaxed) }
        package var acceptedConnections: Int { self.accepted.load(ordering: .relaxed) }
        /// Requests that have begun and whose answers haven't been sent.
        package var requestsInFlight: Int { self.inFlight.load(ordering: .relaxed) }
        package var requests: Int { self.begun.load(ordering: .relaxed) }
        package var bytesIn: Int { self.received.load(ordering: .relaxed) }
        /// Of a file, counted when it has ended; of anything else, as it goes out.
        package var bytesOut: Int { self.sent.load(ordering: .relaxed) }

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

        func receive(_ count: Int) { self.received.add(count, ordering: .relaxed) }

        func send(_ count: Int) { self.sent.add(count, ordering: .relaxed) }
    }
}
