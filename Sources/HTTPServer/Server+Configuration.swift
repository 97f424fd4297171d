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

    package struct Configuration: Sendable {
        package var address = Address.tcp(host: "127.0.0.1", port: 0)
        package var tls: TLS?
        /// Event loops.
        package var threads = 2
        /// Further clients wait in the kernel's queue until one has gone.
        package var connectionLimit = 4096
        /// Without a byte either way, while the server isn't the one who is waited for. In whole seconds.
        package var idleTimeout = Duration.seconds(60)
        /// From a connection's start, or the last answer's end, to the end of the next head.
        package var headTimeout = Duration.seconds(60)
        /// In bytes a second: what a client has to send of a body that is waited for, measured over each
        /// `paceWindow`; zero for no such limit. (A byte now and then is enough for `idleTimeout`.)
        package var minimumBodyPace = 512
        package var paceWindow = Duration.seconds(30)
        /// How often connections are looked at for clients that have gone or dawdle.
        package var watchInterval = Duration.seconds(1)
        package var drainTimeout = Duration.seconds(30)
        /// In bytes, of a request's target and header fields: 414 or 431 beyond it.
        package var headLimit = 32 * 1024
        /// In bytes, of one body that waits for its handler.
        package var inboxLimit = 256 * 1024
        /// In bytes: the unread rest of a body up to which a connection is worth keeping.
        package var discardLimit = 256 * 1024
        /// In bytes: 413 beyond it.
        package var bodyLimit = Int.max
        /// In bytes, of a streamed body's buffer.
        package var blockSize = 64 * 1024
        /// Makes the answers that no handler makes, of a status and a message for people. (The daemon's own answers to
        /// heads that can't be parsed at all can't be changed: their bodies are a line of HTML.)
        package var refusal: @Sendable (Int, String) -> Response = Configuration.plainRefusal

        package init() {}

        /// In bytes: buffers and the parsed head of one connection. More than a head may have, so that one that is a little
        /// too long is refused by us and told why, and many short fields have room. (The daemon clears all of it after each
        /// request: it shows in a profile, and less isn't worth these.)
        var connectionMemory: Int { 2 * self.headLimit }

        /// HTTP contract, 1.5 and 1.6.
        private static func plainRefusal(_ status: Int, _ message: String) -> Response {
            let code =
                switch status {
                case 408: "request_timeout"
                case 413: "body_too_large"
                case 414, 431: "head_too_large"
                case 500: "internal"
                default: "bad_request"
                }
            var response = Response.json(status, ["error": .string(code), "message": .string(message)])
            response.headers.set("X-Correlation-Id", UniqueID.random().description)
            return response
        }
    }
}
