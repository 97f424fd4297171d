// An answer of the routes, read to its end.

import Domain
import Foundation
import HTTP
import Synchronization

struct Answer: Sendable, CustomStringConvertible {
    let status: Int
    let headers: Headers
    let body: [UInt8]
    /// Of a stream that broke off.
    let failure: String?

    init(_ response: Response) async {
        (self.status, self.headers) = (response.status, response.headers)
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
            (self.body, self.failure) = (bytes, failure)
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

/// A client of the store's own presigned URLs.
enum HTTPPut {
    /// - Returns: the part's entity tag.
    static func send(_ bytes: [UInt8], to url: URL) async throws -> String {
        let file = NSTemporaryDirectory() + "artifortress-part.\(UniqueID.random().hex)"
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        defer { try? FileManager.default.removeItem(atPath: file) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
        process.arguments = ["-s", "-D", "-", "-o", "/dev/null", "-T", file, url.absoluteString]
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
