// An HTTP/1.1 server. HTTP/2 is for a reverse proxy in front of it.
// Parsing: what a request is and what is rejected. Loop: the threads, each with its sockets, timers and connections.
// Connections: what is known of one client and one request. Answers: how an answer is written.

import CLinux
package import HTTP
import Synchronization
import Threads

package struct Server: Sendable {
    package let configuration: Configuration
    package let statistics: Statistics
    private let source: TLSSource?

    /// - Parameter statistics: may be shared by several servers.
    package init(_ configuration: Configuration, statistics: Statistics = Statistics()) {
        self.configuration = configuration
        self.statistics = statistics
        self.source = configuration.tls == nil ? nil : TLSSource()
    }

    /// Serves until cancelled; then takes no more connections, lets requests end, and after the drain timeout ends them.
    ///
    /// - Parameters:
    ///   - ready: called with the address that is listened on, its port found if zero was asked for.
    ///   - handler: must not block. What it throws becomes a bare 500 (413 if the body was too large).
    /// - Throws: `HTTPFault.cannotListen`, `.cannotStart`.
    package func run(
        ready: @escaping @Sendable (Address) -> Void = { _ in },
        handler: @escaping @Sendable (Request) async throws -> Response
    ) async throws {
        if let tls = self.configuration.tls { try self.source?.load(tls) }
        let listener = try Listener(self.configuration.address)
        let limit = max(1, self.configuration.connectionLimit)
        let threads = max(1, min(self.configuration.threads, limit))
        let mailboxes = try (0..<threads).map { index in
            try Mailbox(limit: limit / threads + (index < limit % threads ? 1 : 0))
        }
        let polls = try (0..<threads).map { _ in try Epoll() }
        let core = ServerCore(
            self.configuration, self.statistics, listener, mailboxes, self.source, handler)
        ready(listener.address)
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                for (index, poll) in polls.enumerated() {
                    group.addTask {
                        await withCheckedContinuation { done in
                            Thread.start {
                                var loop = Loop(core, index, poll)
                                loop.run()
                                done.resume()
                            }
                        }
                    }
                }
            }
        } onCancel: {
            for mailbox in mailboxes { mailbox.post(.drain) }
        }
    }

    /// Uses another certificate and key for connections from now on. Those that exist keep theirs; after an error
    /// everything stays as it is. Clients can resume sessions that began before.
    ///
    /// - Throws: `HTTPFault.cannotStart`.
    package func reload(_ tls: TLS) throws(HTTPFault) { try self.source?.load(tls) }
}
