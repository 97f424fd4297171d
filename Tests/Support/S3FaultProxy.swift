// An S3 store that has bad days: between a test and the real one.

import HTTP
import HTTPClient
import HTTPServer
package import S3
import Synchronization

/// Forwards requests, and spoils some, the same ones for the same seed as long as requests come in the same order.
package final class S3FaultProxy: Sendable {
    /// How a request is spoilt.
    private enum Fault: CaseIterable {
        /// Refused before the store sees it.
        case internalError, slowDown, tooManyRequests
        /// The answer breaks off, at once or somewhere.
        case noAnswer, cutAnswer
        /// The store does it, and nobody hears of it.
        case lostAnswer
    }

    private let target: String
    /// Of a hundred requests.
    private let rate: Int
    private let random: Mutex<UInt64>
    private let spoilt = Atomic(0)

    package var faults: Int { self.spoilt.load(ordering: .relaxed) }

    private init(_ target: String, rate: Int, seed: UInt64) {
        self.target = target
        self.rate = rate
        self.random = Mutex(seed &* 0x9E37_79B9_7F4A_7C15 | 1)
    }

    /// Calls `body` with the store's location behind the proxy.
    package static func with(
        _ location: S3Location, rate: Int, seed: UInt64,
        _ body: @escaping @Sendable (S3Location, S3FaultProxy) async throws -> Void
    ) async throws {
        let proxy = S3FaultProxy(location.endpoint ?? "", rate: rate, seed: seed)
        var configuration = Server.Configuration()
        configuration.drainTimeout = .milliseconds(200)
        let handler: @Sendable (Request) async throws -> Response = { try await proxy.answer($0) }
        try await TestServer.with(configuration, handler) { address in
            var spoilt = location
            spoilt.endpoint = "http://\(address)"
            try await body(spoilt, proxy)
        }
    }

    private func next(_ limit: Int) -> Int {
        self.random.withLock { state in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state >> 11) % limit
        }
    }

    private func answer(_ request: Request) async throws -> Response {
        guard self.next(100) < self.rate else { return try await self.forward(request, cut: nil) }
        self.spoilt.add(1, ordering: .relaxed)
        switch Fault.allCases[self.next(Fault.allCases.count)] {
        case .internalError: return Self.refusal(500, "InternalError")
        case .slowDown: return Self.refusal(503, "SlowDown")
        case .tooManyRequests: return Response(429)
        case .noAnswer:
            if request.method == "GET" || request.method == "HEAD" { return try await self.forward(request, cut: 0) }
            return Response(200, body: .stream(length: 1000) { _ in throw CancellationError() })
        case .cutAnswer: return try await self.forward(request, cut: self.next(200_000))
        case .lostAnswer:
            _ = try await self.forward(request, cut: nil)
            return Self.refusal(500, "InternalError")
        }
    }

    private static func refusal(_ status: Int, _ code: String) -> Response {
        let document = "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>a bad day</Message></Error>"
        return Response(status, headers: ["Content-Type": "application/xml"], body: .bytes(Array(document.utf8)))
    }

    /// - Parameter cut: after how many bytes of the answer's body the connection ends.
    private func forward(_ request: Request, cut: Int?) async throws -> Response {
        var copy = ClientRequest(request.method, self.target + request.target.description)
        for (name, value) in request.headers.fields
        where !["content-length", "transfer-encoding", "connection", "expect", "user-agent"].contains(name.lowercased())
        {
            copy.headers.append(name, value)
        }
        if request.method == "PUT" || request.method == "POST" { copy.body = .stream(request.body) }
        let answer = try await S3Fixture.client.send(copy)
        var response = Response(answer.status)
        for (name, value) in answer.headers.fields
        where !["content-length", "transfer-encoding", "connection", "date"].contains(name.lowercased()) {
            response.headers.append(name, value)
        }
        let length = answer.headers["Content-Length"].flatMap { Int($0) }
        response.body = .stream(length: length) { writer in
            var left = cut ?? .max
            for try await chunk in answer.body {
                try await writer.write(Array(chunk.prefix(left)))
                left -= chunk.count
                if left < 0 { throw CancellationError() }
            }
        }
        return response
    }
}
