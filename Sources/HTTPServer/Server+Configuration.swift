// How a server is set up: where it listens, and its limits.

import Domain
package import HTTP

extension Server {
    package enum Address: Hashable, Sendable, CustomStringConvertible {
        /// A numeric address or a name; port zero for any free one.
        case tcp(host: String, port: UInt16)
        /// A socket file of mode 0600; only processes of our own user, and root's, are let in.
        case unix(path: String)

        /// `127.0.0.1:8080`, `[::1]:8080`, `unix:/path`.
        package var description: String {
            switch self {
            case .tcp(let host, let port):
                host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
            case .unix(let path): "unix:\(path)"
            }
        }
    }

    /// What the server does without a handler.
    package enum Event: Sendable {
        /// A request was answered by the server itself.
        case rejected(status: Int, message: String, remoteAddress: String, correlation: String?)
        /// A connection was closed at once, because its client's address has too many.
        case turnedAway(remoteAddress: String, connections: Int)
    }

    package struct Configuration: Sendable {
        package var address = Address.tcp(host: "127.0.0.1", port: 0)
        package var tls: TLS?
        /// Event loops, a thread each.
        package var threads = 2
        /// Of all loops together. Beyond it the connection that has been idle longest is closed; if none is idle, further
        /// clients wait in the kernel's queue.
        package var connectionLimit = 4096
        /// Of one IPv4 address, or of one IPv6 /64 network. A further connection is closed at once.
        package var addressLimit = Int.max
        /// Whether a client's address has no such limit. It is asked only beyond the limit.
        package var isExempt: @Sendable (String) -> Bool = { _ in false }
        /// Without a byte either way while the client is waited for.
        package var idleTimeout = Duration.seconds(60)
        /// From a connection's start, or from the first byte of a further head, to the end of the head. Of a TLS
        /// handshake as well.
        package var headTimeout = Duration.seconds(60)
        /// In bytes a second: what a client has to send of a body that is waited for, and to take of an answer, measured
        /// over each `paceWindow`; zero for no such limit. (A byte now and then is enough for `idleTimeout`.)
        package var minimumBodyPace = 512
        package var paceWindow = Duration.seconds(30)
        /// How long a handler may go on for a client that has shut its side down. (Whether that client still reads is
        /// not known before something is sent.)
        package var endedTimeout = Duration.seconds(30)
        /// How long the client may take to read the last answer of a connection.
        package var lingerTimeout = Duration.seconds(5)
        package var drainTimeout = Duration.seconds(30)
        /// In bytes, of a request's head: 431 beyond it. At most 65,535.
        package var headLimit = 32 * 1024
        /// In bytes, of a request's target: 414 beyond it.
        package var targetLimit = 8 * 1024
        /// In bytes, of one body that waits for its handler.
        package var inboxLimit = 256 * 1024
        /// In bytes: the unread rest of a body up to which a connection is worth keeping.
        package var discardLimit = 256 * 1024
        /// In bytes: 413 beyond it.
        package var bodyLimit = Int.max
        /// Makes the answers that no handler makes, of a status and a message for people.
        package var refusal: @Sendable (Int, String) -> Response = Configuration.plainRefusal
        /// Called on any thread; must not block.
        package var observe: @Sendable (Event) -> Void = { _ in }
        /// Called on a loop's thread with each request that has no body, before anything is allocated. Must not block.
        package var prepared: (@Sendable (borrowing Head, Span<UInt8>) -> FastAnswer)?

        package init() {}

        /// HTTP contract, 1.5 and 1.6.
        private static func plainRefusal(_ status: Int, _ message: String) -> Response {
            let code =
                switch status {
                case 408: "request_timeout"
                case 413: "body_too_large"
                case 414, 431: "head_too_large"
                case 417: "expectation_failed"
                case 501: "not_implemented"
                case 505: "version_not_supported"
                case 500...: "internal"
                default: "bad_request"
                }
            var response = Response.json(status, ["error": .string(code), "message": .string(message)])
            response.headers.set("X-Correlation-Id", UniqueID.random().description)
            return response
        }
    }
}
