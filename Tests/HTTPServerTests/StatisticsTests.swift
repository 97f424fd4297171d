// What a server tells of its work.

import HTTP
import HTTPServer
import Testing

@Suite struct StatisticsTests {
    @Test func `connections, requests and bytes of bodies are counted`() async throws {
        try await withDirectory { directory in
            let file = try TestFile(directory + "/file", length: 100_000)
            let statistics = Server.Statistics()
            let gate = Gate()
            let handler: Handler = { request in
                var count = 0
                for try await chunk in request.body { count += chunk.count }
                switch request.target.path {
                case "/wait": try await gate.pass()
                case "/file": return Response(200, body: .file(file.region(10..<90_010)))
                case "/stream": return Response(200, body: .stream(length: nil) { try await $0.write([1, 2, 3, 4]) })
                default: break
                }
                return .text(200, "12345")
            }
            try await serving(statistics: statistics, with: handler) { address in
                do {
                    let client = Client(address)
                    let other = Client(address)
                    _ = client.ask(
                        "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n\(String(repeating: "x", count: 1000))"
                    )
                    _ = client.ask("GET /file HTTP/1.1\r\nHost: h\r\n\r\n")
                    _ = client.ask("HEAD /file HTTP/1.1\r\nHost: h\r\n\r\n", hasBody: false)
                    _ = client.ask("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n")
                    other.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n")
                    #expect(eventually { gate.arrivals == 1 && statistics.requestsInFlight == 1 })
                    #expect(statistics.openConnections == 2)
                    gate.open()
                    _ = other.answer()
                }
                #expect(eventually { statistics.openConnections == 0 && statistics.requestsInFlight == 0 })
                #expect(statistics.acceptedConnections == 2 && statistics.requests == 5)
                #expect(statistics.bytesIn == 1000)
                #expect(statistics.bytesOut == 5 + 90_000 + 4 + 5)
            }
        }
    }
}
