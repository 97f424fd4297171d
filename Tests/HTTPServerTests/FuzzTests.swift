// Random and damaged requests: the server survives each, serves no request that its client didn't send, and serves the
// next client.

import HTTP
import HTTPServer
import Synchronization
import Testing

/// Sebastiano Vigna's SplitMix64: the same numbers for the same seed everywhere.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

@Suite struct FuzzTests {
    private static let requests = [
        "GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n",
        "PUT /count HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789",
        "POST /count HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\na;x=y\r\n0123456789\r\n0\r\nT: x\r\n\r\n",
        "PUT /refuse HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n01234",
        "HEAD /stream HTTP/1.0\r\nConnection: keep-alive\r\nX: a\r\n b\r\n\r\n",
        "DELETE /late HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
    ]
    private static let scraps = [
        "\r\n", "\r\n\r\n", "\n", "\r", "\0", " ", "\t", ":", "Content-Length: 3\r\n",
        "Content-Length: 18446744073709551616\r\n",
        "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: identity\r\n", "HTTP/1.1", "HTTP/1.0",
        "ffffffffffffffff\r\n",
        "0\r\n\r\n", "-1", "%", "%00", "%2e%2e/", "/../", "Host: x\r\n", "\u{7F}", "é", "Expect: 100-continue\r\n", "*",
        String(repeating: "A", count: 5000),
    ]

    /// One to four requests, damaged in up to eight places.
    private static func damaged(using random: inout SplitMix64) -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            bytes += self.requests.randomElement(using: &random)!.utf8
        }
        for _ in 0..<Int.random(in: 0...8, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            let end = min(bytes.count, place + Int.random(in: 1...20, using: &random))
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
            case 1: bytes.removeSubrange(place..<end)
            case 2: bytes.insert(contentsOf: self.scraps.randomElement(using: &random)!.utf8, at: place)
            case 3: bytes.insert(contentsOf: bytes[place..<end], at: place)
            default: bytes.removeSubrange(place...)
            }
        }
        return bytes
    }

    private static func garbage(using random: inout SplitMix64) -> [UInt8] {
        (0..<Int.random(in: 1...3000, using: &random)).map { _ in UInt8.random(in: .min ... .max, using: &random) }
    }

    @Test(arguments: 0..<8)
    func `damaged requests and garbage harm nobody`(seed: UInt64) async throws {
        let handled = Atomic(0)
        let handler: Handler = { request in
            handled.add(1, ordering: .relaxed)
            return try await route(request)
        }
        let statistics = Server.Statistics()
        try await serving(statistics: statistics, with: handler) { address in
            var random = SplitMix64(seed: seed)
            for round in 0..<150 {
                let bytes = round % 10 == 9 ? Self.garbage(using: &random) : Self.damaged(using: &random)
                let client = Client(address)
                let cut = Int.random(in: 0...bytes.count, using: &random)
                client.send(Array(bytes[..<cut]))
                if round % 3 == 0 { _ = client.hasInput(within: .milliseconds(1)) }
                client.send(Array(bytes[cut...]))
                client.endSending()
                let answer = client.read()
                // Whatever comes back is HTTP.
                #expect(answer.isEmpty || answer.hasPrefix("HTTP/1."), "seed \(seed), round \(round): \(answer)")
                if round % 25 == 24 {
                    let next = Client(address).ask("GET /next HTTP/1.1\r\nHost: h\r\n\r\n")
                    #expect(next?.status == 200, "seed \(seed), round \(round)")
                }
            }
            #expect(eventually { statistics.requestsInFlight == 0 && statistics.openConnections == 0 })
        }
    }

    /// A body that reads like a request is never taken for one, however its framing is damaged: the request that it
    /// hides may only be served where the request in front of it has been refused or has visibly ended before.
    @Test(arguments: 0..<6)
    func `nothing is smuggled in a body`(seed: UInt64) async throws {
        let hidden = "GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n"
        let served = Mutex<[String]>([])
        let handler: Handler = { request in
            served.withLock { $0.append(request.target.path) }
            for try await _ in request.body {}
            return .text(200, "ok\n")
        }
        try await serving(with: handler) { address in
            var random = SplitMix64(seed: seed &+ 1000)
            for round in 0..<150 {
                let length = "Content-Length: \(hidden.utf8.count)"
                let chunked = "Transfer-Encoding: chunked"
                let isChunked = Bool.random(using: &random)
                // Fields that another reader could take for framing, around the one that counts.
                let decoys = [
                    "Content-Length: 0", "Content-Length:0", "content-length: 0", "Content-Length : 0",
                    "Content-Length: +\(hidden.utf8.count)", "Content-Length: 0, \(hidden.utf8.count)",
                    "Content-Length: 0x\(String(hidden.utf8.count, radix: 16))", "Transfer-Encoding: identity",
                    "Transfer-Encoding: chunked", "Transfer-Encoding:\u{0B}chunked", "Transfer-Encoding : chunked",
                    "Transfer-Encoding: x\r\n chunked", "X: y\r\nTransfer-Encoding: chunked, identity",
                    "Transfer_Encoding: chunked", "Content-Length: \(hidden.utf8.count)\r\nContent-Length: 0",
                    "\tContent-Length: 0", "Content-Length: \t0",
                ]
                var fields = [isChunked ? chunked : length, decoys.randomElement(using: &random)!]
                if Bool.random(using: &random) { fields.reverse() }
                let body =
                    isChunked ? "\(String(hidden.utf8.count, radix: 16))\r\n\(hidden)\r\n0\r\n\r\n" : hidden
                let client = Client(address)
                client.send("POST /front HTTP/1.1\r\nHost: h\r\n\(fields.joined(separator: "\r\n"))\r\n\r\n\(body)")
                client.endSending()
                _ = client.read()
                let paths = served.withLock { served in
                    defer { served = [] }
                    return served
                }
                #expect(!paths.contains("/hidden"), "seed \(seed), round \(round): \(fields) served \(paths)")
            }
        }
    }
}
