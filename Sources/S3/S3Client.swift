// Requests to one bucket: signed, tried again where that may help, their failures typed.

import Domain
import HTTP
import HTTPClient
import Storage
import Threads

struct S3Request: Sendable {
    var method: String
    /// The object's full name; empty for the bucket.
    var name: String
    var query: [(name: String, value: String)] = []
    var headers: [(name: String, value: String)] = []
    var payload = Payload.bytes([])
    /// Without a byte either way.
    var stallTimeout = Duration.seconds(20)
    /// Of one attempt.
    var timeout: Duration? = .seconds(30)
    var retryLimit = RetryLimit.usual

    /// How long and how often a request is tried.
    struct RetryLimit: Sendable {
        var attempts = 8
        /// After which no further attempt is made.
        var time = Duration.seconds(20)

        static let usual = RetryLimit()
        static let none = RetryLimit(attempts: 1)
    }
}

struct S3Answer: Sendable {
    let status: Int
    let headers: Headers
    let body: [UInt8]
}

struct S3Client: Sendable {
    let address: S3Address
    let signer: Signer
    private let client: HTTPClient
    private let clock: WallClock

    /// In bytes: of an answer that is taken whole. A page of a thousand keys has some 300 KiB.
    private static let answerLimit = 8 << 20

    init(
        _ location: S3Location, _ client: HTTPClient, _ clock: WallClock
    ) throws(StorageFault) {
        self.address = try S3Address(location)
        self.signer = Signer(credentials: location.credentials, region: location.region)
        self.client = client
        self.clock = clock
    }

    /// Sends a request and takes its answer whole.
    ///
    /// - Throws: `S3Failure`, once trying again does not help; `StorageFault`; `CancellationError`.
    func send(_ request: S3Request) async throws -> S3Answer {
        try await self.trying(request) { response in
            S3Answer(
                status: response.status, headers: response.headers,
                body: try await response.body.collect(upTo: Self.answerLimit))
        }
    }

    /// Sends a request whose answer is read piece by piece: what fails then is not tried again here.
    func open(_ request: S3Request) async throws -> ClientResponse { try await self.trying(request) { $0 } }

    private func trying<Value>(
        _ request: S3Request, _ read: (ClientResponse) async throws -> Value
    ) async throws -> Value {
        let start = ContinuousClock.now
        var attempt = 1
        while true {
            do {
                let response = try await self.client.send(self.signed(request))
                guard (200..<300).contains(response.status) else {
                    throw S3Failure(
                        status: response.status, document: try await response.body.collect(upTo: 64 * 1024),
                        name: "\(request.method) \(request.name)")
                }
                return try await read(response)
            } catch let failure as S3Failure {
                guard failure.isTransient, attempt < request.retryLimit.attempts,
                    .now - start < request.retryLimit.time
                else { throw failure }
            } catch let fault as HTTPClientFault {
                // A server that accepts no connections is down: the caller's answer must not wait for it.
                let attempts = if case .cannotConnect = fault { 3 } else { request.retryLimit.attempts }
                guard fault.isTransient, attempt < min(attempts, request.retryLimit.attempts),
                    .now - start < request.retryLimit.time
                else { throw fault.storageFault }
            }
            try await Task.sleep(for: Backoff.pause(after: attempt))
            attempt += 1
        }
    }

    private func signed(_ request: S3Request) -> ClientRequest {
        let signable = SignableRequest(
            method: request.method, host: self.address.host, path: self.address.path(request.name),
            query: request.query, headers: request.headers)
        let query = signable.canonicalQuery
        let url = "\(self.address.scheme)://\(self.address.host)\(signable.path)\(query.isEmpty ? "" : "?\(query)")"
        var signed = ClientRequest(request.method, url, body: request.payload.body)
        for (name, value) in request.headers { signed.headers.append(name, value) }
        for (name, value) in self.signer.headers(for: signable, payload: request.payload.digest, at: self.clock.now()) {
            signed.headers.append(name, value)
        }
        signed.timeout = request.timeout
        signed.stallTimeout = request.stallTimeout
        signed.expectsContinue = request.payload.length > 1 << 20
        return signed
    }

    /// A URL that does the same for anyone who has it.
    func presigned(_ request: S3Request, validFor seconds: Int, at time: Timestamp) -> String {
        let signable = SignableRequest(
            method: request.method, host: self.address.host, path: self.address.path(request.name),
            query: request.query)
        let query = self.signer.presignedQuery(for: signable, validFor: seconds, at: time)
        return "\(self.address.scheme)://\(self.address.host)\(signable.path)?\(query)"
    }
}

enum Backoff {
    /// Exponential, with full jitter, so that those who failed together do not come back together.
    static func pause(after attempt: Int) -> Duration {
        .milliseconds(Int.random(in: 1...min(2000, 50 << min(attempt, 10))))
    }
}
