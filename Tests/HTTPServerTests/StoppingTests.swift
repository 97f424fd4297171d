// How a server ends.

import HTTP
import HTTPServer
import Testing

@Suite struct StoppingTests {
    @Test func `what has begun ends before the server does`() async throws {
        let clock = ContinuousClock.now
        let (short, long) = (Gate(), Gate())
        let (addresses, ready) = AsyncStream.makeStream(of: Server.Address.self)
        let server = Task {
            try await Server(.quick).run(ready: { ready.yield($0) }) { request in
                try await (request.target.path == "/long" ? long : short).pass()
                return .text(200, "done\n")
            }
        }
        for await address in addresses {
            let answer = await blocking {
                let client = Client(address)
                let other = Client(address)
                other.send("GET /long HTTP/1.1\r\nHost: h\r\n\r\n")
                client.send("GET /short HTTP/1.1\r\nHost: h\r\n\r\n")
                _ = eventually { short.arrivals == 1 && long.arrivals == 1 }
                server.cancel()
                short.open()
                return client.read() + "|" + other.read()
            }
            #expect(answer.hasSuffix("done\n|") && answer.contains("Connection: close"), "\(answer)")
            break
        }
        try await server.value
        #expect(ContinuousClock.now - clock < .seconds(3))
    }
}
