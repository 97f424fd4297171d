// How a server ends: no new connection, what has begun is ended, and at a deadline the rest is cut off.

import HTTP
import HTTPServer
import Synchronization
import Testing
import Threads

@Suite struct StoppingTests {
    /// Runs a server, and `body` on a thread of its own, which has to stop the server.
    private func serving(
        drainTimeout: Duration, with handler: @escaping Handler,
        _ body: @escaping @Sendable (Server.Address, Outcome) -> Void
    ) async throws {
        var configuration = Server.Configuration.quick
        configuration.drainTimeout = drainTimeout
        let (addresses, ready) = AsyncStream.makeStream(of: Server.Address.self)
        let server = Outcome { [configuration] in
            try await Server(configuration).run(ready: { ready.yield($0) }, handler: handler)
        }
        for await address in addresses {
            await blocking {
                body(address, server)
                server.cancel()
                #expect(eventually { server.hasEnded })
            }
            break
        }
    }

    @Test func `a request in flight is answered, and the connection closed after it`() async throws {
        let gate = Gate()
        let handler: Handler = { _ in
            try await gate.pass()
            return .text(200, "done\n")
        }
        try await self.serving(drainTimeout: .seconds(60), with: handler) { address, server in
            let idle = Client(address)
            let wasConnected = idle.isConnected
            #expect(wasConnected)
            let client = Client(address)
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(eventually { gate.arrivals == 1 })
            server.cancel()
            // Nobody is let in any more, but the server waits for what has begun.
            #expect(
                eventually {
                    let isConnected = Client(address).isConnected
                    return !isConnected
                })
            #expect(!server.hasEnded)
            gate.open()
            let answer = client.answer()
            #expect(answer?.text == "done\n" && answer?.header("connection")?.lowercased() == "close")
            #expect(client.read() == "" && idle.read() == "")
        }
    }

    @Test func `an upload under way ends`() async throws {
        let gate = Gate()
        let handler: Handler = { request in
            var count = 0
            for try await chunk in request.body {
                if count == 0 { try await gate.pass() }
                count += chunk.count
            }
            return .text(201, "\(count)\n")
        }
        try await self.serving(drainTimeout: .seconds(60), with: handler) { address, server in
            let client = Client(address)
            client.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n")
            client.send([UInt8](repeating: 1, count: 1000))
            #expect(eventually { gate.arrivals == 1 })
            server.cancel()
            gate.open()
            client.send([UInt8](repeating: 1, count: 2_999_000))
            #expect(client.answer()?.text == "3000000\n")
        }
    }

    @Test func `a streamed answer under way ends`() async throws {
        let gate = Gate()
        let handler: Handler = { _ in
            Response(
                200,
                body: .stream(length: nil) { writer in
                    try await writer.write([UInt8](repeating: 1, count: 1000))
                    try await gate.pass()
                    for _ in 0..<20 { try await writer.write([UInt8](repeating: 2, count: 100_000)) }
                })
        }
        try await self.serving(drainTimeout: .seconds(60), with: handler) { address, server in
            let client = Client(address)
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(eventually { gate.arrivals == 1 })
            server.cancel()
            gate.open()
            #expect(client.answer()?.body.count == 2_001_000)
        }
    }

    @Test(arguments: ["/wait", "/upload", "/stream", "/file"])
    func `what outlasts the deadline is cut off, and its handler cancelled`(path: String) async throws {
        try await withDirectory { directory in
            let gate = Gate()
            let cancelled = Atomic(0)
            let file = try TestFile(directory + "/file", length: 20_000_000)
            let handler: Handler = { request in
                gate.note()
                do {
                    switch request.target.path {
                    case "/upload": for try await _ in request.body {}
                    case "/file": return Response(200, body: .file(file.region(0..<20_000_000)))
                    case "/stream":
                        return Response(
                            200,
                            body: .stream(length: nil) { writer in
                                do {
                                    while true { try await writer.write([UInt8](repeating: 1, count: 10_000)) }
                                } catch {
                                    cancelled.add(1, ordering: .relaxed)
                                    throw error
                                }
                            })
                    default: try await gate.pass()
                    }
                } catch {
                    cancelled.add(1, ordering: .relaxed)
                    throw error
                }
                return .text(200, "done\n")
            }
            try await self.serving(drainTimeout: .milliseconds(300), with: handler) { address, server in
                let client = Client(address, receiveBuffer: 65536)
                client.send("PUT \(path) HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n")
                if path != "/upload" { client.send("0123456789") }
                #expect(eventually { gate.arrivals >= 1 })
                server.cancel()
                #expect(eventually { server.hasEnded })
                #expect(cancelled.load(ordering: .relaxed) == (path == "/file" ? 0 : 1))
                #expect(client.answer() == nil)
            }
        }
    }

    @Test func `a server that is stopped at once ends`() async throws {
        for _ in 0..<50 {
            let server = Outcome { try await Server(.quick).run { _ in .text(200, "") } }
            server.cancel()
            #expect(await blocking { eventually { server.hasEnded } })
        }
    }

    @Test func `no request is lost while the server ends`() async throws {
        // Clients ask as fast as they can: each request is answered, or its connection ends before it is handled.
        for _ in 0..<10 {
            let handled = Atomic(0)
            let answered = Atomic(0)
            let handler: Handler = { _ in
                handled.add(1, ordering: .relaxed)
                await reallyWait()
                return .text(200, "done\n")
            }
            try await self.serving(drainTimeout: .seconds(60), with: handler) { address, server in
                let left = Atomic(4)
                for _ in 0..<4 {
                    Thread.start {
                        let client = Client(address)
                        while client.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")?.status == 200 {
                            answered.add(1, ordering: .relaxed)
                        }
                        left.subtract(1, ordering: .releasing)
                    }
                }
                #expect(eventually { answered.load(ordering: .relaxed) > 20 })
                server.cancel()
                #expect(eventually { left.load(ordering: .acquiring) == 0 && server.hasEnded })
                #expect(answered.load(ordering: .relaxed) == handled.load(ordering: .relaxed))
            }
        }
    }
}
