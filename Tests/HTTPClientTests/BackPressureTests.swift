// A slow side slows the other, and memory stays bounded (architecture, I6).

import HTTP
import HTTPClient
import Synchronization
import TestSupport
import Testing
import Threads

@Suite struct BackPressureTests {
    /// In bytes: what may be on its way besides our own buffers, in two sockets.
    private static let sockets = 64 << 20

    @Test func `an answer that isn't read isn't sent`() async throws {
        let (sent, total) = (Sums(), 200 << 20)
        let server = RawServer { client in
            _ = client.readHead()
            client.send("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            let chunk = [UInt8](repeating: 9, count: 1 << 20)
            for _ in 0..<200 {
                client.send(chunk)
                sent.add(chunk.count)
            }
        }
        let answer = try await HTTPClient().send(ClientRequest("GET", server.url))
        #expect(await sent.settles() < Self.sockets)
        var (read, most) = (0, 0)
        for try await chunk in answer.body {
            read += chunk.count
            most = max(most, sent.total - read)
        }
        #expect(read == total)
        #expect(most < Self.sockets)
    }

    @Test func `a body that isn't taken isn't pulled`() async throws {
        let gate = Semaphore()
        let server = RawServer { client in
            _ = client.readHead()
            gate.wait()
            var left = 100 << 20
            while left > 0 {
                let count = client.readBody(min(left, 1 << 20)).count
                guard count > 0 else { return }
                left -= count
            }
            client.send("HTTP/1.1 204 No Content\r\n\r\n")
        }
        let source = ZeroBody(count: 100 << 20)
        let task = Task {
            try await HTTPClient().send(
                ClientRequest("PUT", server.url, body: .stream(RequestBody(length: 100 << 20, source: source))))
        }
        #expect(await source.given.settles() < Self.sockets)
        gate.post()
        #expect(try await task.value.status == 204)
        #expect(source.given.total == 100 << 20)
    }

    @Test func `a refusal before the body's end stops its pulling`() async throws {
        let server = RawServer { client in
            _ = client.readHead()
            client.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
            client.awaitEnd()
        }
        for count in [100, 500 << 20] {
            let source = ZeroBody(count: count, isEndless: true)
            let answer = try await HTTPClient().send(
                ClientRequest("PUT", server.url, body: .stream(RequestBody(length: 1 << 40, source: source))))
            #expect(answer.status == 403)
            #expect(try await answer.body.collect(upTo: 10) == Array("no".utf8))
        }
    }

    @Test func `an expected refusal comes before any of the body`() async throws {
        let server = RawServer { client in
            #expect(client.readHead().lowercased().contains("expect: 100-continue"))
            client.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            #expect(client.readBody(1).isEmpty)
        }
        var request = ClientRequest(
            "PUT", server.url, body: .stream(RequestBody(length: 1 << 30, source: ZeroBody(count: 1 << 30))))
        request.expectsContinue = true
        #expect(try await HTTPClient().send(request).status == 403)
    }

    @Test func `a slow sender isn't taken for a stalled server`() async throws {
        try await TestServer.with(ExchangeTests.echo) { url in
            let gate = SlowBody(pause: .milliseconds(2500))
            var request = ClientRequest("PUT", url, body: .stream(RequestBody(length: nil, source: gate)))
            request.stallTimeout = .milliseconds(1200)
            let answer = try await HTTPClient().send(request)
            #expect(answer.status == 200)
        }
    }
}

/// A running sum that a test can watch come to rest.
final class Sums: Sendable {
    private let sum = Atomic(0)

    var total: Int { self.sum.load(ordering: .relaxed) }

    func add(_ count: Int) { self.sum.add(count, ordering: .relaxed) }

    /// The sum once it has stood still for a while.
    func settles() async -> Int {
        var (last, still) = (-1, 0)
        _ = await eventually {
            try? await Task.sleep(for: .milliseconds(20))
            still = self.total == last && last > 0 ? still + 1 : 0
            last = self.total
            return still >= 10
        }
        return last
    }
}

final class ZeroBody: BodySource {
    let given = Sums()
    private let count: Int
    private let isEndless: Bool

    /// - Parameter isEndless: whether it never ends after that many bytes, and only cancellation helps.
    init(count: Int, isEndless: Bool = false) {
        self.count = count
        self.isEndless = isEndless
    }

    func nextChunk() async throws -> [UInt8]? {
        guard self.given.total < self.count else {
            guard self.isEndless else { return nil }
            try await Task.sleep(for: .seconds(3600))
            return nil
        }
        let chunk = [UInt8](repeating: 0, count: min(256 * 1024, self.count - self.given.total))
        self.given.add(chunk.count)
        return chunk
    }
}

/// Ten bytes, a pause, and ten more.
private final class SlowBody: BodySource {
    private let pause: Duration
    private let step = Atomic(0)

    init(pause: Duration) { self.pause = pause }

    func nextChunk() async throws -> [UInt8]? {
        switch self.step.add(1, ordering: .relaxed).newValue {
        case 1: return [UInt8](repeating: 1, count: 10)
        case 2:
            try await Task.sleep(for: self.pause)
            return [UInt8](repeating: 2, count: 10)
        default: return nil
        }
    }
}
