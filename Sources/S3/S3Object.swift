// An object on its way down. What is cut off is taken up where it broke, so that a reader sees whole bytes or a fault.

import Domain
import HTTP
import HTTPClient
import Storage

/// Chunks of a range, from as many answers as it takes.
actor S3Object: BodySource {
    private let client: S3Client
    private let name: String
    private let length: Int
    private let entityTag: String?
    private var answer: ResponseBody
    private var position: Int
    private let end: Int
    /// Since the last byte.
    private var failures = 0

    /// How often an answer may break without a byte between.
    private static let retryLimit = 5

    private init(
        _ client: S3Client, _ name: String, _ range: Range<Int>, of length: Int, entityTag: String?,
        _ answer: ResponseBody
    ) {
        self.client = client
        self.name = name
        self.length = length
        self.entityTag = entityTag
        self.answer = answer
        self.position = range.lowerBound
        self.end = range.upperBound
    }

    /// - Throws: `StorageFault.damaged` where the object has another length.
    static func open(
        _ client: S3Client, _ name: String, _ range: Range<Int>, of length: Int
    ) async throws -> S3Object {
        guard range.lowerBound >= 0, range.upperBound <= length else {
            throw StorageFault.other("\(name): no bytes \(range) of \(length)")
        }
        let response = try await self.request(client, name, range, of: length, ifMatch: nil)
        return S3Object(
            client, name, range, of: length, entityTag: response.headers["ETag"], response.body)
    }

    private static func request(
        _ client: S3Client, _ name: String, _ range: Range<Int>, of length: Int, ifMatch tag: String?
    ) async throws -> ClientResponse {
        var headers = [(name: "range", value: "bytes=\(range.lowerBound)-\(range.upperBound - 1)")]
        if let tag { headers.append((name: "if-match", value: tag)) }
        let response = try await client.open(S3Request(method: "GET", name: name, headers: headers, timeout: nil))
        let expected = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(length)"
        let isWhole = range == 0..<length && response.status == 200 && response.headers["Content-Length"] == "\(length)"
        guard isWhole || response.status == 206 && response.headers["Content-Range"] == expected else {
            throw StorageFault.damaged(
                "\(name): \(expected) was asked for; \(response.status) "
                    + "\(response.headers["Content-Range"] ?? "without a range") came")
        }
        return response
    }

    /// - Throws: `StorageFault`; `CancellationError`.
    func nextChunk() async throws -> [UInt8]? {
        try await faulting {
            while self.position < self.end {
                do {
                    guard let chunk = try await self.answer.nextChunk() else {
                        throw StorageFault.damaged("\(self.name): ended \(self.end - self.position) bytes early")
                    }
                    guard chunk.count <= self.end - self.position else {
                        throw StorageFault.damaged("\(self.name): more bytes than were asked for")
                    }
                    self.position += chunk.count
                    self.failures = 0
                    if !chunk.isEmpty { return chunk }
                } catch let fault as HTTPClientFault where fault.isTransient {
                    self.failures += 1
                    guard self.failures <= Self.retryLimit else { throw fault }
                    try await Task.sleep(for: Backoff.pause(after: self.failures))
                    self.answer = try await Self.request(
                        self.client, self.name, self.position..<self.end, of: self.length, ifMatch: self.entityTag
                    ).body
                }
            }
            return nil
        }
    }
}
