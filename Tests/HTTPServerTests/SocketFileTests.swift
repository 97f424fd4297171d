// Listening on a Unix-domain socket.

import Foundation
import HTTP
import HTTPServer
import Testing

@Suite struct SocketFileTests {
    private let whoIsThere: Handler = { .text(200, "\($0.remoteAddress)\n") }

    private func configuration(_ path: String) -> Server.Configuration {
        var configuration = Server.Configuration.quick
        configuration.address = .unix(path: path)
        return configuration
    }

    @Test func `our own processes are served, and the file is theirs alone`() async throws {
        try await withDirectory { directory in
            let path = directory + "/socket"
            try await serving(self.configuration(path), with: self.whoIsThere) { address in
                let client = Client(address)
                for _ in 0..<2 { #expect(client.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")?.text == "local\n") }
                var status = stat()
                #expect(unsafe lstat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
            }
            #expect(!FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func `files go through a Unix-domain socket whole`() async throws {
        try await withDirectory { directory in
            let file = try TestFile(directory + "/file", length: 3_000_000)
            let region = file.region(0..<3_000_000)
            let handler: Handler = { _ in Response(200, body: .file(region)) }
            try await serving(self.configuration(directory + "/socket"), with: handler) { address in
                let body = Client(address).ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")?.body ?? []
                #expect(body.count == 3_000_000 && file.holds(body, at: 0))
            }
        }
    }

    @Test func `what a dead process has left is replaced`() async throws {
        try await withDirectory { directory in
            let path = directory + "/socket"
            let abandoned = Client.abandon(path)
            #expect(abandoned && FileManager.default.fileExists(atPath: path))
            try await serving(self.configuration(path), with: self.whoIsThere) { address in
                #expect(Client(address).ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")?.text == "local\n")
            }
        }
    }

    @Test func `a socket that somebody listens on isn't taken from him`() async throws {
        try await withDirectory { directory in
            let configuration = self.configuration(directory + "/socket")
            let handler = self.whoIsThere
            try await serving(configuration, with: handler) { address in
                let second = Outcome { try await Server(configuration).run(handler: handler) }
                #expect(second.fault == .cannotListen(errno: EADDRINUSE))
                #expect(Client(address).ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")?.text == "local\n")
            }
        }
    }

    @Test func `neither another file nor too long a path is listened on`() async throws {
        try await withDirectory { directory in
            try Data("precious".utf8).write(to: URL(filePath: directory + "/socket"))
            await #expect(throws: HTTPFault.cannotListen(errno: EEXIST)) {
                try await Server(self.configuration(directory + "/socket")).run(handler: self.whoIsThere)
            }
            #expect(FileManager.default.fileExists(atPath: directory + "/socket"))
            let long = directory + "/" + String(repeating: "x", count: 108)
            await #expect(throws: HTTPFault.cannotListen(errno: ENAMETOOLONG)) {
                try await Server(self.configuration(long)).run(handler: self.whoIsThere)
            }
        }
    }

    @Test(.enabled(if: geteuid() == 0 && Program.exists("/usr/bin/setpriv")))
    func `another user's process isn't let in, even where the file's mode would let it`() async throws {
        try await withDirectory { directory in
            let path = directory + "/socket"
            try await serving(self.configuration(path), with: self.whoIsThere) { address in
                unsafe chmod(directory, 0o755)
                unsafe chmod(path, 0o666)
                let curl = ["/usr/bin/curl", "-sS", "--max-time", "5", "--unix-socket", path, "http://h/"]
                #expect(Program.run(curl).output == "local\n")
                let other = Program.run(["/usr/bin/setpriv", "--reuid", "65534", "--clear-groups"] + curl)
                #expect(other.status != 0 && other.output.isEmpty, "\(other)")
            }
        }
    }
}
