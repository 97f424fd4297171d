// How stored bytes are sent: conditions, ranges, the browser's safety, and from where. Rules: RFC 9110, 13.2 and 14;
// HTTP contract, 3.4 and section 9, rows 17, 32 and 33.

import Domain
package import HTTP
import Registry
package import Storage
package import Threads

package struct FileAnswer: Sendable {
    /// In seconds: how long a redirect to the store holds (section 9, row 33).
    private static let redirectLifetime = 60

    private let storage: any BlobStorage
    private let clock: WallClock
    private let watch: DownloadWatch

    package init(storage: any BlobStorage, clock: WallClock, watch: DownloadWatch) {
        self.storage = storage
        self.clock = clock
        self.watch = watch
    }

    /// - Throws: `precondition_failed`, `bad_request` and `invalid_range` for what the request asks; storage faults.
    package func respond(_ file: FileDescription, to request: Request) async throws -> Response {
        if try Self.isUnchanged(file, request.headers) {
            // The length of what a 200 would send: a length of zero would tell a cache that the file is empty.
            return Response(304, headers: file.headers, body: .stream(length: file.length) { _ in })
        }

        var headers = file.headersOfContent
        var range = 0..<file.length
        var status = 200
        // RFC 9110, 14.2: a range is defined for GET only.
        if request.method == "GET", Self.rangeApplies(file, request.headers),
            let asked = try ByteRange(parsing: request.headers["range"])
        {
            guard let found = asked.resolved(in: file.length) else {
                throw Refusal(
                    .invalidRange, "The range is beyond the end.", ["length": JSON(file.length)])
            }
            range = found
            status = 206
            headers.append("Content-Range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(file.length)")
        }
        if file.download == .redirect, request.method == "GET", file.length > 0,
            let url = try self.storage.presignedDownload(
                file.storageKey, validFor: Self.redirectLifetime, at: self.clock.now())
        {
            headers.append("Location", url)
            headers.append("Cache-Control", "no-store")
            return Response(307, headers: headers)
        }
        return Response(status, headers: headers, body: try await self.body(file, range, request))
    }

    private func body(_ file: FileDescription, _ range: Range<Int>, _ request: Request) async throws -> Response.Body {
        if range.isEmpty { return .bytes([]) }
        if request.method == "HEAD" { return .stream(length: range.count) { _ in } }
        do {
            let bytes = try await self.storage.open(file.storageKey, range, of: file.length)
            return self.watch.body(
                of: bytes, length: range.count, isWhole: range.count == file.length, file,
                correlation: request.correlation)
        } catch let fault as StorageFault {
            self.watch.note(fault, file, correlation: request.correlation)
            throw fault
        }
    }

    /// - Throws: `precondition_failed`.
    private static func isUnchanged(_ file: FileDescription, _ headers: Headers) throws -> Bool {
        if let wanted = headers["if-match"] {
            guard file.tag.isNamed(byIfMatch: wanted) else {
                throw Refusal(.preconditionFailed, "The file is another one than If-Match names.")
            }
        } else if let time = headers["if-unmodified-since"].flatMap(Timestamp.init(httpDate:)),
            let modified = file.modifiedAt, modified.wholeSeconds > time
        {
            throw Refusal(.preconditionFailed, "The file was published later than If-Unmodified-Since.")
        }
        if let known = headers["if-none-match"] { return file.tag.isNamed(byIfNoneMatch: known) }
        guard let time = headers["if-modified-since"].flatMap(Timestamp.init(httpDate:)), let modified = file.modifiedAt
        else { return false }
        return modified.wholeSeconds <= time
    }

    /// Whether a `Range` counts, by `If-Range`.
    private static func rangeApplies(_ file: FileDescription, _ headers: Headers) -> Bool {
        guard let condition = headers["if-range"]?.trimmed else { return true }
        if condition.startsWithBytes(of: "\"") { return condition.hasSameBytes(as: file.tag.description) }
        guard let time = Timestamp(httpDate: condition), let modified = file.modifiedAt else { return false }
        return modified.wholeSeconds == time
    }
}
