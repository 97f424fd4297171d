// An HTTP/1.1 server. HTTP/2 is for a reverse proxy in front of it.

package import HTTP
import Synchronization

package struct Server: Sendable {
    package struct TLS: Sendable {
        /// PEM, the whole chain.
        package var certificate: String
        /// PEM.
        package var key: String
        /// GnuTLS's priority string.
        package var priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

        package init(certificate: String, key: String) { (self.certificate, self.key) = (certificate, key) }
    }

    package struct Configuration: Sendable {
        package var host = "127.0.0.1"
        /// Zero for any free one.
        package var port: UInt16 = 0
        package var tls: TLS?
        /// Event loops.
        package var threads = 2
        package var connectionLimit = 4096
        /// Without a byte either way, while the server isn't the one who is waited for.
        package var idleTimeout = Duration.seconds(60)
        /// From a connection's start, or the last answer's end, to the end of the next head.
        package var headTimeout = Duration.seconds(60)
        /// How often connections are looked at for clients that have gone or dawdle.
        package var watchInterval = Duration.seconds(1)
        package var drainTimeout = Duration.seconds(30)
        /// In bytes: buffers and heads of one connection; a head may take about half.
        package var connectionMemory = 128 * 1024
        /// In bytes, of one body that waits for its handler.
        package var inboxLimit = 256 * 1024
        /// In bytes: the unread rest of a body up to which a connection is worth keeping.
        package var discardLimit = 256 * 1024
        package var bodyLimit = Int.max
        /// In bytes, of a streamed body's buffer.
        package var blockSize = 64 * 1024

        package init() {}
    }

    package let configuration: Configuration

    package init(_ configuration: Configuration) { self.configuration = configuration }

    /// Serves until cancelled; then takes no more connections, lets requests end, and after the drain timeout ends them.
    ///
    /// - Parameter ready: called with the port.
    /// - Throws: `HTTPFault.cannotListen`, `.cannotStart`.
    package func run(
        ready: @Sendable (UInt16) -> Void = { _ in }, handler: @escaping @Sendable (Request) async throws -> Response
    ) async throws {
        let core = ServerCore(self.configuration, handler)
        let listener = try Listener(self.configuration.host, self.configuration.port)
        let loops = (0..<self.configuration.threads).map { _ in Loop(core) }
        ready(listener.port)
        try await withTaskCancellationHandler {
            try await withThrowingDiscardingTaskGroup { group in
                for (index, loop) in loops.enumerated() {
                    group.addTask {
                        try await withCheckedThrowingContinuation { done in
                            loop.start(index == 0 ? (listener, loops) : nil, whenDone: done)
                        }
                    }
                }
            }
        } onCancel: {
            core.isDraining.store(true, ordering: .sequentiallyConsistent)
            for loop in loops { loop.wake() }
        }
    }
}

/// What the loops and the handlers share.
final class ServerCore: Sendable {
    let configuration: Server.Configuration
    let handler: @Sendable (Request) async throws -> Response
    /// Handlers that run.
    let tasks = Atomic(0)
    /// Requests that have begun and whose answers haven't been sent.
    let exchanges = Atomic(0)
    let isDraining = Atomic(false)
    let isStopping = Atomic(false)

    init(_ configuration: Server.Configuration, _ handler: @escaping @Sendable (Request) async throws -> Response) {
        (self.configuration, self.handler) = (configuration, handler)
    }
}
