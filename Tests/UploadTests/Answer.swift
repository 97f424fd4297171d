// An answer of the routes, read to its end.

import Domain
import Foundation
import HTTP
import HTTPClient
import Synchronization
import TestSupport

struct Answer: Sendable, CustomStringConvertible {
    let status: Int
    let headers: Headers
    let body: [UInt8]
    /// Of a stream that broke off.
    let failure: String?
    /// The body's length in bytes, as the head tells it.
    let announced: Int?

    /// - Parameter isHead: the answer to HEAD, whose body isn't asked for.
    init(_ response: Response, isHead: Bool = false) async {
        self.status = response.status
        self.headers = response.headers
        self.announced =
            switch response.body {
            case .bytes(let bytes): bytes.count
            case .file(let region): region.length
            case .stream(let length, _): length
            }
        switch response.body {
        case .bytes(let bytes): (self.body, self.failure) = (bytes, nil)
        case .file(let region):
            let reader = FileReader(region)
            var (bytes, failure): ([UInt8], String?) = ([], nil)
            do {
                while let chunk = try reader.next() { bytes += chunk }
            } catch {
                failure = "\(error)"
            }
            self.body = bytes
            self.failure = failure
        case .stream where isHead: (self.body, self.failure) = ([], nil)
        case .stream(_, let write):
            let collector = Collector()
            do {
                try await write(BodyWriter(collector))
                self.failure = nil
            } catch {
                self.failure = "\(error)"
            }
            self.body = collector.bytes.withLock { $0 }
        }
    }

    var json: JSON { (try? JSON(parsing: self.body)) ?? .null }
    var text: String { String(decoding: self.body, as: UTF8.self) }
    var description: String { "\(self.status) \(self.text)" }
    var keys: Set<String> { Set((self.json.members ?? []).map(\.name)) }

    subscript(name: String) -> JSON? { self.json[name] }
    subscript(header name: String) -> String? { self.headers[name] }
}

private final class Collector: BodySink {
    let bytes = Mutex<[UInt8]>([])

    func send(_ chunk: [UInt8]) async throws { self.bytes.withLock { $0 += chunk } }
}

/// A client of the store's own presigned downloads.
enum HTTPGet {
    static func fetch(_ url: String, range: String? = nil) async throws -> [UInt8] {
        var request = ClientRequest("GET", url)
        if let range { request.headers.append("Range", "bytes=\(range)") }
        return try await S3Fixture.client.send(request).body.collect(upTo: 1 << 20)
    }
}

/// A client of the store's own presigned URLs.
enum HTTPPut {
    /// - Returns: the part's entity tag.
    static func send(_ bytes: [UInt8], to url: URL) async throws -> String {
        let file = NSTemporaryDirectory() + "artifortress-part.\(UniqueID.random().hex)"
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        defer { try? FileManager.default.removeItem(atPath: file) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
        process.arguments = ["--noproxy", "*", "-s", "-D", "-", "-o", "/dev/null", "-T", file, url.absoluteString]
        let output = Pipe()
        process.standardOutput = output
        let text: String = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { _ in
                let data = output.fileHandleForReading.readDataToEndOfFile()
                continuation.resume(returning: String(decoding: data, as: UTF8.self))
            }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        let tag = text.split(whereSeparator: \.isNewline).first { $0.lowercased().hasPrefix("etag:") }
        guard let tag else { throw SceneFailure(description: "no part: \(text)") }
        return tag.dropFirst(5).trimmingCharacters(in: .whitespaces)
    }
}
