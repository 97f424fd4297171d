// What a request does when the other side, or the caller, doesn't do its part.

import Foundation
import HTTP
import HTTPClient
import Synchronization
import TestSupport
import Testing

@Suite struct FailureTests {
    @Test(arguments: [
        ("", "connectionLost"), ("HTTP/1.1 200 OK\r\nContent-", "connectionLost"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", "connectionLost"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n", "connectionLost"),
        ("SSH-2.0-OpenSSH_9.2\r\n", "malformedAnswer"),
        ("HTTP/1.1 200 OK\r\nX: \(String(repeating: "x", count: 300_000))\r\n\r\n", "malformedAnswer"),
    ])
    func `an answer that is cut off or none is a fault`(answer: String, fault: String) async throws {
        let server = RawServer { client in
            _ = client.readHead()
            client.send(answer)
        }
        let request = ClientRequest("GET", server.url)
        let name = await faultName { try await HTTPClient().send(request).body.collect(upTo: .max) }
        #expect(name == fault)
    }

    @Test func `nobody there, no such host, and no HTTP`() async throws {
        let client = HTTPClient()
        #expect(
            await faultName { try await client.send(ClientRequest("GET", "http://127.0.0.1:1/")) } == "cannotConnect")
        #expect(
            await faultName { try await client.send(ClientRequest("GET", "http://no-such-host.invalid/")) }
                == "unknownHost")
        for url in ["file:///etc/passwd", "ftp://127.0.0.1/", "", "http://a b/", "http://127.0.0.1/\r\nX: y"] {
            #expect(await faultName { try await client.send(ClientRequest("GET", url)) } == "invalidRequest")
        }
        for headers: Headers in [["X": "a\r\nY: b"], ["X Y": "a"], ["": "a"], ["X": "a\0b"]] {
            #expect(
                await faultName { try await client.send(ClientRequest("GET", "http://127.0.0.1:1/", headers: headers)) }
                    == "invalidRequest")
        }
    }

    @Test func `the guard is asked before a connection`() async throws {
        let server = RawServer { _ in }
        let asked = Mutex<[String]>([])
        var configuration = HTTPClient.Configuration()
        configuration.allowsAddress = { address, port in
            asked.withLock { $0.append("\(address) \(port)") }
            return false
        }
        let client = HTTPClient(configuration)
        #expect(
            await faultName { try await client.send(ClientRequest("GET", "http://localhost:\(server.port)/")) }
                == "addressRefused")
        #expect(asked.withLock { $0.contains("127.0.0.1 \(server.port)") })
        #expect(server.clients == 0)
    }

    @Test func `a proxy of the environment is ignored`() async throws {
        unsafe setenv("http_proxy", "http://127.0.0.1:1", 1)
        defer { unsafe unsetenv("http_proxy") }
        try await TestServer.with { _ in
            Response(204)
        } _: { url in
            let answer = try await HTTPClient().send(ClientRequest("GET", url))
            #expect(answer.status == 204)
        }
    }

    @Test func `time is limited: for everything, and for silence`() async throws {
        let server = RawServer { client in
            _ = client.readHead()
            client.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123")
            client.awaitEnd()
        }
        var whole = ClientRequest("GET", server.url)
        whole.timeout = .milliseconds(300)
        var stall = ClientRequest("GET", server.url)
        stall.stallTimeout = .milliseconds(300)
        for request in [whole, stall] {
            #expect(await faultName { try await HTTPClient().send(request).body.collect(upTo: .max) } == "timedOut")
        }
    }

    @Test func `a cancelled request ends its connection`() async throws {
        let closed = Atomic(0)
        let server = RawServer { client in
            _ = client.readHead()
            client.awaitEnd()
            closed.add(1, ordering: .relaxed)
        }
        let client = HTTPClient()
        let task = Task { try await client.send(ClientRequest("GET", server.url)) }
        #expect(await eventually { server.clients == 1 })
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(await eventually { closed.load(ordering: .relaxed) == 1 })
    }

    @Test func `an answer that is let go of, or whose reader is cancelled, ends its connection`() async throws {
        let closed = Atomic(0)
        let server = RawServer { client in
            _ = client.readHead()
            client.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
            client.awaitEnd()
            closed.add(1, ordering: .relaxed)
        }
        let client = HTTPClient()
        _ = try await client.send(ClientRequest("GET", server.url))
        #expect(await eventually { closed.load(ordering: .relaxed) == 1 })
        let answer = try await client.send(ClientRequest("GET", server.url))
        let task = Task { try await answer.body.nextChunk() }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(await eventually { closed.load(ordering: .relaxed) == 2 })
    }

    @Test func `a client that goes away ends what runs`() async throws {
        let server = RawServer { client in
            _ = client.readHead()
            client.awaitEnd()
        }
        let request = ClientRequest("GET", server.url)
        let task = Task { try await HTTPClient().send(request) }
        #expect(await eventually { server.clients == 1 })
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test(arguments: [(10, 9), (10, 11), (1_000_000, 999_999), (1_000_000, 1_100_000)])
    func `a body of another length than announced fails`(announced: Int, actual: Int) async throws {
        try await TestServer.with(ExchangeTests.echo) { url in
            let body = RequestBody(length: announced, source: CountingBody(chunk: 300_000, count: actual))
            let request = ClientRequest("PUT", url, body: .stream(body))
            #expect(await faultName { try await HTTPClient().send(request) } == "invalidRequest")
        }
    }

    @Test func `what the body throws is thrown`() async throws {
        try await TestServer.with(ExchangeTests.echo) { url in
            let request = ClientRequest(
                "PUT", url, body: .stream(RequestBody(length: nil, source: FailingBody())))
            await #expect(throws: HTTPFault.disconnected) { try await HTTPClient().send(request) }
        }
    }
}

private final class FailingBody: BodySource {
    private let left = Atomic(5)

    func nextChunk() async throws -> [UInt8]? {
        guard self.left.subtract(1, ordering: .relaxed).newValue > 0 else { throw HTTPFault.disconnected }
        return [UInt8](repeating: 0, count: 100_000)
    }
}

/// The name of the fault's case that `body` throws; nil where it throws none.
func faultName(_ body: () async throws -> some Any) async -> String? {
    do {
        _ = try await body()
        return nil
    } catch {
        return Mirror(reflecting: error).children.first?.label ?? "\(error)"
    }
}
