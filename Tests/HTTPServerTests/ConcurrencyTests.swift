// Many clients at once.

import HTTP
import HTTPServer
import Synchronization
import Testing
import Threads

@Suite struct ConcurrencyTests {
    @Test func `many clients at once get their own answers`() async throws {
        let handler: Handler = { request in
            var count = 0
            for try await chunk in request.body { count += chunk.count }
            if count % 3 == 0 { await Task.yield() }
            let total = count
            return Response(
                200,
                body: .stream(length: nil) { writer in
                    for _ in 0..<4 { try await writer.write([UInt8](repeating: 0x78, count: total)) }
                })
        }
        try await serving(.init(), with: handler) { address in
            let left = Atomic(16)
            for number in 0..<16 {
                Thread.start {
                    let client = Client(address)
                    for round in 1..<40 {
                        let size = (number * 7919 + round * 104729) % 100_000 + 1
                        client.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: \(size)\r\n\r\n")
                        client.send([UInt8](repeating: 1, count: size))
                        let answer = client.read(until: "\r\n0\r\n\r\n")
                        #expect(answer.utf8.count { $0 == 0x78 } == size * 4)
                        if round % 10 == 9, number % 4 == 0 { break }
                    }
                    left.subtract(1, ordering: .releasing)
                }
            }
            #expect(eventually { left.load(ordering: .acquiring) == 0 })
        }
    }

    @Test func `a hundred and twenty-eight clients at once aren't forgotten`() async throws {
        var configuration = Server.Configuration.quick
        configuration.threads = 1
        try await serving(configuration, with: route) { address in
            let sockets = (0..<128).map { _ in Shared(address) }
            for _ in 0..<20 {
                for client in sockets { client.client.send("GET /x HTTP/1.1\r\nHost: h\r\n\r\n") }
                for client in sockets { #expect(client.client.read(until: "]\n").contains("200 OK")) }
            }
        }
    }
}
