// The way in for the command line while a server holds the data directory: a Unix socket there, for our own user and
// root. Rules: HTTP contract, section 9, row 35.

import API
import Glibc
import HTTP
import HTTPServer
import Settings

/// Where the socket is. The directory stays open as long as this lives: a path that is too long for a socket's address
/// is reached through it.
final class ControlSocket: Sendable {
    /// In bytes: what fits a socket's address.
    private static let limit = 107

    let path: String
    private let directory: Int32

    init(data: String) throws {
        let path = "\(data)/control.sock"
        if path.utf8.count <= Self.limit {
            self.path = path
            self.directory = -1
        } else {
            let descriptor = unsafe open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard descriptor >= 0 else {
                throw Deployment.Failure(description: "cannot open \(data): \(unsafe String(cString: strerror(errno)))")
            }
            self.path = "/proc/self/fd/\(descriptor)/control.sock"
            self.directory = descriptor
        }
    }

    deinit { if self.directory >= 0 { close(self.directory) } }
}

extension Serving {
    /// Answers the command line, until cancelled.
    func listenLocally() async throws {
        let socket = try ControlSocket(data: self.configuration[.data])
        var server = Server.Configuration()
        server.address = .unix(path: socket.path)
        server.threads = 1
        server.connectionLimit = 64
        let application = self.localApplication
        try await self.configuration.naming("the control socket", server.address, from: nil) { [server] in
            try await Server(server).run { request in await application.respond(to: request) }
        }
        withExtendedLifetime(socket) {}
    }
}
