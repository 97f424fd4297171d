// An HTTP/1.1 server. HTTP/2 is for a reverse proxy in front of it.
// GNU libmicrohttpd parses, encrypts and watches sockets, on threads of ours; docs and measurements: Loop.swift (threads),
// Exchange.swift (one request), Framing.swift (what is refused).

package import HTTP
import Synchronization

package struct Server: Sendable {
    package let configuration: Configuration
    package let statistics: Statistics

    /// - Parameter statistics: may be shared by several servers.
    package init(_ configuration: Configuration, statistics: Statistics = Statistics()) {
        (self.configuration, self.statistics) = (configuration, statistics)
    }

    /// Serves until cancelled; then takes no more connections, lets requests end, and after the drain timeout ends them.
    ///
    /// - Parameters:
    ///   - ready: called, on some thread, with the address that is listened on, its port found where zero was asked for.
    ///   - handler: must not block. What it throws becomes a bare 500 (413 where the body was too large).
    /// - Throws: `HTTPFault.cannotListen`, `.cannotStart`.
    package func run(
        ready: @escaping @Sendable (Address) -> Void = { _ in },
        handler: @escaping @Sendable (Request) async throws -> Response
    ) async throws {
        let core = ServerCore(self.configuration, self.statistics, handler)
        let listener = try Listener(self.configuration.address)
        let loops = (0..<max(1, self.configuration.threads)).map { _ in Loop(core) }
        let starting = Atomic(loops.count)
        let whenStarted: @Sendable () -> Void = {
            if starting.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { ready(listener.address) }
        }
        let drain: @Sendable () -> Void = {
            core.isDraining.store(true, ordering: .sequentiallyConsistent)
            for loop in loops { loop.wake() }
        }
        try await withTaskCancellationHandler {
            try await withThrowingDiscardingTaskGroup { group in
                for (index, loop) in loops.enumerated() {
                    group.addTask {
                        do {
                            try await loop.run(index == 0 ? (listener, loops) : nil, whenStarted: whenStarted)
                        } catch {
                            drain()  // the other loops end too
                            throw error
                        }
                    }
                }
            }
        } onCancel: {
            drain()
        }
    }
}
