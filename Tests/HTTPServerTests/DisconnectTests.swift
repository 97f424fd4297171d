// What becomes of a request whose client has gone.

import HTTP
import HTTPServer
import Synchronization
import Testing

@Suite struct DisconnectTests {
    @Test func `a client that goes away cancels its handler, whatever that waits for`() async throws {
        let ends = Mutex<[String]>([])
        let gate = Gate()
        let begun = Atomic(0)
        let handler: Handler = { request in
            begun.add(1, ordering: .relaxed)
            do {
                if request.method == "GET" { try await gate.pass() }
                for try await _ in request.body {}
                return .text(200, "")
            } catch {
                ends.withLock { $0.append("\(request.method) \(error)") }
                throw error
            }
        }
        try await serving(with: handler) { address in
            do {
                let client = Client(address)
                client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                let other = Client(address)
                other.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
                #expect(eventually { begun.load(ordering: .relaxed) == 2 })
            }
            #expect(eventually { ends.withLock { $0.count } == 2 })
            #expect(ends.withLock { $0.sorted() } == ["GET CancellationError()", "PUT \(HTTPFault.disconnected)"])
        }
    }

    @Test(arguments: [
        "HEAD ", "GET / HTTP/1.1\r\nHo", "PUT /count HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc",
    ])
    func `a client that hangs up with its last piece isn't waited for`(piece: String) async throws {
        let statistics = Server.Statistics()
        try await serving(statistics: statistics, with: route) { address in
            for _ in 0..<20 {
                let client = Client(address)
                client.send(piece)
                client.endSending()
                #expect(client.read() == "")
            }
            #expect(eventually { statistics.openConnections == 0 && statistics.requestsInFlight == 0 })
        }
    }
}
