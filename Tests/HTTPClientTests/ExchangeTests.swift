// Requests and answers as they should be, against a server of ours.

import HTTP
import HTTPClient
import Synchronization
import TestSupport
import Testing

@Suite struct ExchangeTests {
    /// Says in headers what it got, and gives the body back.
    @Sendable static func echo(_ request: Request) async throws -> Response {
        let body = try await request.body.collect(upTo: 64 << 20)
        return Response(
            200,
            headers: [
                "X-Method": request.method, "X-Target": request.target.description,
                "X-Length": request.headers["Content-Length"] ?? "none",
                "X-Coding": request.headers["Transfer-Encoding"] ?? "none",
                "X-Accept": request.headers["Accept"] ?? "none",
                "X-Got": request.headers.all("X-Sent").joined(separator: "|"),
            ], body: .bytes(body))
    }

    @Test(arguments: [
        ("GET", nil, "none"), ("GET", 0, "0"), ("DELETE", nil, "none"), ("POST", nil, "0"), ("PUT", nil, "0"),
        ("PUT", 0, "0"), ("PUT", 1, "1"), ("POST", 5_000_000, "5000000"), ("PATCH", 70_000, "70000"),
        ("DELETE", 10, "10"),
    ])
    func `a method and a body arrive`(method: String, count: Int?, length: String) async throws {
        try await TestServer.with(Self.echo) { url in
            let bytes = count.map { (0..<$0).map { UInt8(truncatingIfNeeded: $0 &* 31) } }
            let request = ClientRequest(
                method, "\(url)/a%2Fb//c?x=%20", headers: ["X-Sent": "1", "x-sent": "2"],
                body: bytes.map { .bytes($0) } ?? .none)
            let answer = try await HTTPClient().send(request)
            #expect(answer.status == 200)
            #expect(answer.headers["X-Method"] == method)
            #expect(answer.headers["X-Length"] == length)
            #expect(answer.headers["X-Got"] == "1|2")
            #expect(answer.headers["X-Accept"] == "none")
            #expect(try await answer.body.collect(upTo: .max) == bytes ?? [])
        }
    }

    @Test func `a HEAD has no body`() async throws {
        try await TestServer.with { _ in
            Response(200, body: .bytes([1, 2, 3]))
        } _: { url in
            let answer = try await HTTPClient().send(ClientRequest("HEAD", url))
            #expect(answer.headers["Content-Length"] == "3")
            #expect(try await answer.body.nextChunk() == nil)
        }
    }

    @Test(arguments: [nil, 0, 1, 3_000_000], [false, true])
    func `a pulled body arrives`(length: Int?, expectsContinue: Bool) async throws {
        try await TestServer.with(Self.echo) { url in
            let source = CountingBody(chunk: 9999, count: length ?? 2_000_000)
            var request = ClientRequest(
                "PUT", url, body: .stream(RequestBody(length: length, source: source)))
            request.expectsContinue = expectsContinue
            let answer = try await HTTPClient().send(request)
            #expect(answer.headers["X-Length"] == length.map { "\($0)" } ?? "none")
            #expect(answer.headers["X-Coding"] == (length == nil ? "chunked" : "none"))
            let body = try await answer.body.collect(upTo: .max)
            #expect(body.count == length ?? 2_000_000)
            #expect(body == CountingBody.bytes(0..<body.count))
        }
    }

    @Test func `a redirection is an answer unless it may be followed`() async throws {
        try await TestServer.with { request in
            request.target.path == "/" ? Response(302, headers: ["Location": "/there"]) : .text(200, "there")
        } _: { url in
            var request = ClientRequest("GET", "\(url)/")
            #expect(try await HTTPClient().send(request).status == 302)
            request.redirectLimit = 3
            let answer = try await HTTPClient().send(request)
            #expect(answer.status == 200)
            #expect(try await answer.body.collect(upTo: 100) == Array("there".utf8))
        }
    }

    @Test func `connections are kept and used again`() async throws {
        let server = RawServer { client in
            while !client.readHead().isEmpty { client.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") }
        }
        let client = HTTPClient()
        for _ in 0..<20 {
            let answer = try await client.send(ClientRequest("GET", server.url))
            #expect(try await answer.body.collect(upTo: 10) == Array("ok".utf8))
        }
        #expect(server.clients == 1)
    }

    @Test func `a kept connection that has died is replaced, and the body sent again`() async throws {
        let server = RawServer { client in
            _ = client.readHead()
            _ = client.readBody(4)
            client.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")  // and closes, without saying so
        }
        let client = HTTPClient()
        for _ in 0..<10 {
            let answer = try await client.send(ClientRequest("PUT", server.url, body: .bytes([1, 2, 3, 4])))
            #expect(try await answer.body.collect(upTo: 10) == Array("ok".utf8))
        }
    }

    @Test func `a thousand requests at once`() async throws {
        try await TestServer.with(Self.echo) { url in
            let client = HTTPClient()
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for index in 0..<1000 {
                    group.addTask {
                        let answer = try await client.send(
                            ClientRequest("PUT", url, body: .bytes(Array(repeating: 7, count: index))))
                        return try await answer.body.collect(upTo: 1000).count
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 999 * 1000 / 2)
        }
    }

    @Test func `requests over the limit of connections wait for their turn`() async throws {
        let server = RawServer { client in
            while !client.readHead().isEmpty { client.send("HTTP/1.1 204 No Content\r\n\r\n") }
        }
        var configuration = HTTPClient.Configuration()
        configuration.connectionsPerHost = 3
        let client = HTTPClient(configuration)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<100 {
                group.addTask {
                    let answer = try await client.send(ClientRequest("GET", server.url))
                    #expect(answer.status == 204)
                }
            }
            try await group.waitForAll()
        }
        #expect(server.clients <= 3)
    }
}

/// A body whose bytes tell their place; counts how often it was asked.
final class CountingBody: BodySource {
    private let chunk: Int
    private let count: Int
    private let given = Atomic(0)

    var bytesGiven: Int { self.given.load(ordering: .relaxed) }

    init(chunk: Int, count: Int) {
        self.chunk = chunk
        self.count = count
    }

    static func bytes(_ range: Range<Int>) -> [UInt8] { range.map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 8) } }

    func nextChunk() async throws -> [UInt8]? {
        try Task.checkCancellation()
        let start = self.bytesGiven
        guard start < self.count else { return nil }
        let end = min(start + self.chunk, self.count)
        self.given.store(end, ordering: .relaxed)
        return Self.bytes(start..<end)
    }
}
