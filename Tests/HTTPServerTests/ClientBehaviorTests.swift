// Clients that are slow, stop early, shut one side down, or vanish: each gets what it is due, and nothing of it stays.

import Foundation
import HTTP
import HTTPServer
import Synchronization
import Testing

@Suite struct ClientBehaviorTests {
    private static let requests = [
        "GET /a HTTP/1.1\r\nHost: h\r\n\r\n",
        "PUT /count HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\nabcdef",
        "PUT /count HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n3\r\ndef\r\n0\r\nT: t\r\n\r\n",
    ]

    // MARK: Slow

    @Test(arguments: Self.requests)
    func `a request is answered however its bytes are split`(request: String) async throws {
        try await serving(with: route) { address in
            let bytes = Array(request.utf8)
            let whole = Client(address)
            let expected = whole.ask(request)
            #expect(expected?.status == (request.hasPrefix("GET") ? 200 : 201))
            let client = Client(address)
            for byte in bytes { client.send([byte]) }
            #expect(client.answer()?.text == expected?.text)
            for split in stride(from: 1, to: bytes.count, by: 3) {
                client.send(Array(bytes[..<split]))
                // The first part is there before the rest comes.
                _ = client.hasInput(within: .milliseconds(1))
                client.send(Array(bytes[split...]))
                #expect(client.answer()?.text == expected?.text, "split at \(split)")
            }
        }
    }

    @Test func `a head that is not finished in time is answered with 408`() async throws {
        var configuration = Server.Configuration.quick
        configuration.headTimeout = .milliseconds(300)
        try await serving(configuration, with: route) { address in
            let client = Client(address)
            client.send("GET / HTTP/1.1\r\nHost: h\r\nX: ")
            #expect(client.answer()?.status == 408)
            #expect(client.read() == "")
        }
    }

    @Test(arguments: ["stream", "file", "bytes"])
    func `a client that does not read its answer is disconnected`(kind: String) async throws {
        var configuration = Server.Configuration.quick
        configuration.minimumBodyPace = 1000
        configuration.paceWindow = .milliseconds(300)
        let statistics = Server.Statistics()
        try await withDirectory { directory in
            let file = try TestFile("\(directory)/file", length: 32 << 20)
            let (faults, handler) = Self.endless(file)
            try await serving(configuration, statistics: statistics, with: handler) { address in
                let client = Client(address, receiveBuffer: 4096)
                client.send("GET /\(kind) HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(eventually { statistics.requests == 1 })
                #expect(eventually { statistics.openConnections == 0 && statistics.requestsInFlight == 0 })
                if kind == "stream" { #expect(eventually { faults.all.withLock { $0.count } == 1 }) }
                _ = client.socket
            }
        }
    }

    @Test(arguments: ["stream", "file", "bytes"])
    func `a client that reads slowly, but fast enough, gets its whole answer`(kind: String) async throws {
        var configuration = Server.Configuration.quick
        configuration.minimumBodyPace = 1000
        configuration.paceWindow = .milliseconds(200)
        try await withDirectory { directory in
            let file = try TestFile("\(directory)/file", length: 3 << 20)
            let handler: Handler = { request in
                switch request.target.path {
                case "/file": return Response(200, body: .file(file.region(0..<file.bytes.count)))
                case "/bytes": return Response(200, body: .bytes(file.bytes))
                default:
                    return Response(
                        200,
                        body: .stream(length: file.bytes.count) { writer in
                            for start in stride(from: 0, to: file.bytes.count, by: 65536) {
                                try await writer.write(
                                    Array(file.bytes[start..<min(start + 65536, file.bytes.count)]))
                            }
                        })
                }
            }
            try await serving(configuration, with: handler) { address in
                let client = Client(address, receiveBuffer: 4096)
                client.send("GET /\(kind) HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                var received: [UInt8] = []
                var reads = 0
                while true {
                    let part = client.readSome(reads < 60 ? 2048 : 65536)
                    guard !part.isEmpty else { break }
                    received += part
                    reads += 1
                    // 60 pauses: several times the window in which a client must take something.
                    if reads < 60 { usleep(20_000) }
                }
                let body = received.count - file.bytes.count
                #expect(body > 0 && file.holds(Array(received.dropFirst(max(0, body))), at: 0))
            }
        }
    }

    // MARK: Shut down on one side

    @Test func `pipelined requests before half a close are all answered`() async throws {
        try await serving(with: route) { address in
            let client = Client(address)
            client.send(Self.requests.joined() + "GET /later HTTP/1.1\r\nHost: h\r\n\r\n" + Self.requests.joined())
            client.endSending()
            let statuses = (0..<7).map { _ in client.answer()?.status }
            #expect(statuses == [200, 201, 201, 200, 200, 201, 201])
            #expect(client.read() == "")
        }
    }

    @Test func `a handler that waits answers a client that has shut its side down`() async throws {
        let gate = Gate()
        var configuration = Server.Configuration.quick
        configuration.endedTimeout = .seconds(30)
        let handler: Handler = { _ in
            try await gate.pass()
            return .text(200, "done\n")
        }
        try await serving(configuration, with: handler) { address in
            let client = Client(address)
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            client.endSending()
            #expect(eventually { gate.arrivals == 1 })
            gate.open()
            #expect(client.answer()?.text == "done\n")
            #expect(client.read() == "")
        }
    }

    @Test(arguments: Self.requests)
    func `half a close within a request ends it, wherever it comes`(request: String) async throws {
        let statistics = Server.Statistics()
        let reads = Mutex<[String]>([])
        let handler: Handler = { request in
            do { return try await route(request) } catch {
                reads.withLock { $0.append("\(error)") }
                throw error
            }
        }
        try await serving(statistics: statistics, with: handler) { address in
            let bytes = Array(request.utf8)
            for count in 0..<bytes.count {
                let client = Client(address)
                client.send(Array(bytes[..<count]))
                client.endSending()
                #expect(client.read() == "", "after \(count) bytes")
            }
            #expect(eventually { statistics.openConnections == 0 && statistics.requestsInFlight == 0 })
            #expect(reads.withLock { Set($0) }.isSubset(of: ["\(HTTPFault.disconnected)"]))
        }
    }

    // MARK: Gone

    /// What a client has sent before it resets its connection, and what it has read.
    enum Moment: String, CaseIterable {
        case connected, head, body, chunk, waiting, stream, file, bytes, pipelined, answered
    }

    @Test(arguments: Moment.allCases, [false, true])
    func `a client that vanishes leaves nothing behind`(moment: Moment, isReset: Bool) async throws {
        let statistics = Server.Statistics()
        let descriptors = Self.descriptors()
        try await withDirectory { directory in
            let file = try TestFile("\(directory)/file", length: 32 << 20)
            let gate = Gate()
            let (_, endless) = Self.endless(file)
            let handler: Handler = { request in
                if request.target.path == "/wait" { try await gate.pass() }
                return request.method == "GET" ? try await endless(request) : try await route(request)
            }
            try await serving(statistics: statistics, with: handler) { address in
                for _ in 0..<8 {
                    let client = Client(address, receiveBuffer: 4096)
                    switch moment {
                    case .connected: break
                    case .head: client.send("GET / HTTP/1.1\r\nHo")
                    case .body: client.send("PUT /count HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc")
                    case .chunk:
                        client.send("PUT /count HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc")
                    case .waiting: client.send("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n")
                    case .stream, .file, .bytes:
                        client.send("GET /\(moment) HTTP/1.1\r\nHost: h\r\n\r\n")
                        #expect(!client.readSome(1000).isEmpty)
                    case .pipelined:
                        client.send(String(repeating: "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n", count: 50))
                    case .answered: #expect(client.ask("PUT /none HTTP/1.1\r\nHost: h\r\n\r\n")?.status == 204)
                    }
                    if isReset { client.resetsWhenClosed() }
                }
                #expect(eventually { statistics.openConnections == 0 && statistics.requestsInFlight == 0 })
                #expect(Client(address).ask("PUT /none HTTP/1.1\r\nHost: h\r\n\r\n")?.status == 204)
            }
        }
        #expect(eventually { Self.descriptors() <= descriptors })
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `clients that stop at any point and in any way leave nothing behind`(seed: UInt64) async throws {
        let statistics = Server.Statistics()
        try await withDirectory { directory in
            let file = try TestFile("\(directory)/file", length: 4 << 20)
            let (_, endless) = Self.endless(file)
            let handler: Handler = { request in
                request.method == "GET" ? try await endless(request) : try await route(request)
            }
            try await serving(statistics: statistics, with: handler) { address in
                var random = SplitMix64(seed: seed)
                func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
                for _ in 0..<300 {
                    let client = Client(address, receiveBuffer: 4096)
                    var text = ""
                    for _ in 0..<below(4) {
                        let paths = ["stream", "file", "bytes"]
                        text +=
                            below(2) == 0
                            ? Self.requests[1 + below(2)]
                            : "GET /\(paths[below(3)]) HTTP/1.1\r\nHost: h\r\n\r\n"
                    }
                    let bytes = Array(text.utf8)
                    client.send(Array(bytes[..<below(bytes.count + 1)]))
                    if below(3) == 0 { client.endSending() }
                    if below(3) == 0, client.hasInput(within: .milliseconds(2)) {
                        _ = client.readSome(1 + below(100_000))
                    }
                    if below(2) == 0 { client.resetsWhenClosed() }
                }
                #expect(eventually { statistics.openConnections == 0 && statistics.requestsInFlight == 0 })
                #expect(Client(address).ask("PUT /none HTTP/1.1\r\nHost: h\r\n\r\n")?.status == 204)
            }
        }
    }

    /// Large answers of each kind; the faults of streams that a client did not read to their end.
    private static func endless(_ file: TestFile) -> (Faults, Handler) {
        let faults = Faults()
        let handler: Handler = { request in
            switch request.target.path {
            case "/file": return Response(200, body: .file(file.region(0..<file.bytes.count)))
            case "/bytes": return Response(200, body: .bytes(file.bytes))
            default:
                return Response(
                    200,
                    body: .stream(length: nil) { writer in
                        let chunk = [UInt8](repeating: 7, count: 65536)
                        do { while true { try await writer.write(chunk) } } catch {
                            faults.all.withLock { $0.append("\(error)") }
                            throw error
                        }
                    })
            }
        }
        return (faults, handler)
    }

    /// How many files and sockets this process has open.
    private static func descriptors() -> Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? .max
    }
}

/// Faults that handlers saw.
final class Faults: Sendable {
    let all = Mutex<[String]>([])
}

extension Client {
    /// The connection ends with a reset instead of our end.
    func resetsWhenClosed() {
        var option = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(self.socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }
}
