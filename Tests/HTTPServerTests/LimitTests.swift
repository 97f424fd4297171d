// What the server takes at most, and how it refuses more.

import HTTP
import HTTPServer
import Testing

@Suite struct LimitTests {
    @Test func `a head that is too long is refused`() async throws {
        try await serving(with: route) { address in
            let client = Client(address)
            client.send("GET /a HTTP/1.1\r\nHost: h\r\n")
            for _ in 0..<200 { client.send("X: " + String(repeating: "y", count: 1000) + "\r\n") }
            #expect(client.read().contains(" 431 "))
            let other = Client(address)
            other.send("GET /" + String(repeating: "y", count: 200_000))
            #expect(other.read().contains(" 414 "))
        }
    }

    @Test func `a body over the limit is refused`() async throws {
        try await serving(with: route) { address in
            let client = Client(address)
            client.send("PUT /count HTTP/1.1\r\nHost: h\r\nContent-Length: 9000000\r\nExpect: 100-continue\r\n\r\n")
            #expect(client.read().hasPrefix("HTTP/1.1 413"))
            let other = Client(address)
            other.send("PUT /count HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n989680\r\n")
            other.send([UInt8](repeating: 7, count: 10_000_000))
            let answer = other.read()
            #expect(answer.hasPrefix("HTTP/1.1 413"), "\(answer)")
        }
    }

    @Test func `a dawdling head ends its connection, and a slow handler doesn't`() async throws {
        let gate = Gate()
        var configuration = Server.Configuration.quick
        configuration.headTimeout = .milliseconds(300)
        let handler: Handler = { _ in
            try await gate.pass()
            return .text(200, "done\n")
        }
        try await serving(configuration, with: handler) { address in
            let client = Client(address)
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            let slow = Client(address)
            slow.send("GET / HTTP/1.1\r\nX: ")
            #expect(eventually { slow.hasInput(within: .milliseconds(20)) || slow.send("y") == 0 })
            gate.open()
            #expect(client.read(until: "done\n").contains("200 OK"))
        }
    }
}
