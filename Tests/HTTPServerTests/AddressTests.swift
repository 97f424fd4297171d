// Where a server listens.

import Foundation
import HTTP
import HTTPServer
import Testing

@Suite struct AddressTests {
    private let whoIsThere: Handler = { .text(200, "\($0.remoteAddress) \($0.isSecure)\n") }

    @Test(arguments: [("127.0.0.1", "127.0.0.1"), ("localhost", "127.0.0.1"), ("::1", "::1"), ("::", "::1")])
    func `the port that was found and the client's address are told`(host: String, client: String) async throws {
        var configuration = Server.Configuration.quick
        configuration.address = .tcp(host: host, port: 0)
        try await serving(configuration, with: self.whoIsThere) { address in
            guard case .tcp(host, let port) = address, port != 0 else {
                Issue.record("\(address)")
                return
            }
            let to = Server.Address.tcp(host: client, port: port)
            let answer = Client(to).ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(answer?.text == "\(client) false\n")
        }
    }

    @Test func `an IPv4 client of a socket for both families has an IPv4 address`() async throws {
        var configuration = Server.Configuration.quick
        configuration.address = .tcp(host: "::", port: 0)
        try await serving(configuration, with: self.whoIsThere) { address in
            guard case .tcp(_, let port) = address else { return }
            let client = Client(.tcp(host: "127.0.0.1", port: port))
            #expect(client.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")?.text == "127.0.0.1 false\n")
        }
    }

    @Test func `a port that is taken can't be listened on`() async throws {
        let handler = self.whoIsThere
        try await serving(with: handler) { address in
            var configuration = Server.Configuration.quick
            configuration.address = address
            let second = Outcome { [configuration] in try await Server(configuration).run(handler: handler) }
            #expect(second.fault == .cannotListen(errno: EADDRINUSE))
        }
    }

    @Test func `a name nobody has can't be listened on`() async throws {
        var configuration = Server.Configuration.quick
        configuration.address = .tcp(host: "192.0.2.77", port: 0)
        await #expect(throws: HTTPFault.cannotListen(errno: EADDRNOTAVAIL)) {
            try await Server(configuration).run(handler: self.whoIsThere)
        }
    }

    @Test func `an address is written as in a URL`() {
        #expect(Server.Address.tcp(host: "::1", port: 80).description == "[::1]:80")
        #expect(Server.Address.tcp(host: "h", port: 8080).description == "h:8080")
        #expect(Server.Address.unix(path: "/run/a").description == "unix:/run/a")
    }
}
