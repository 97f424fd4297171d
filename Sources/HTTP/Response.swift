// A response as a handler makes it. `Content-Length`, `Transfer-Encoding`, `Connection` and `Date` are the server's.

package import Domain
import Glibc

/// To answer HEAD, or 304 for an unchanged representation, give the body that the 200 to GET would have: its length is
/// announced and nothing of it is sent. (A stream without a length then ends the connection.)
package struct Response: Sendable {
    package var status: Int
    package var headers: Headers
    package var body: Body

    package enum Body: Sendable {
        case bytes([UInt8])
        case file(FileRegion)
        /// Written by a closure, which waits while the client is slow; chunked where the length is nil. The closure
        /// is not called for HEAD, 204 and 304.
        case stream(length: Int?, @Sendable (BodyWriter) async throws -> Void)
    }

    package init(_ status: Int, headers: Headers = [:], body: Body = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    package static func text(_ status: Int, _ text: String) -> Response {
        Response(status, headers: ["Content-Type": "text/plain; charset=utf-8"], body: .bytes(Array(text.utf8)))
    }

    package static func json(_ status: Int, _ document: JSON) -> Response {
        Response(status, headers: ["Content-Type": "application/json; charset=utf-8"], body: .bytes(document.bytes))
    }
}

/// A part of an open file, sent by the kernel.
package final class FileRegion: Sendable {
    package let file: OpenFile
    /// In bytes.
    package let offset: Int
    /// In bytes.
    package let length: Int

    package init(_ file: OpenFile, offset: Int, length: Int) {
        self.file = file
        self.offset = offset
        self.length = length
    }

    package var descriptor: Int32 { self.file.descriptor }
}

/// An open file; closed with its last user.
package final class OpenFile: Sendable {
    package let descriptor: Int32

    /// Takes the descriptor over.
    package init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(self.descriptor) }
}

/// Where a streamed body goes.
package protocol BodySink: AnyObject, Sendable {
    /// - Throws: `HTTPFault.disconnected`; `CancellationError`.
    func send(_ chunk: [UInt8]) async throws
}

package struct BodyWriter: Sendable {
    private let sink: any BodySink

    package init(_ sink: any BodySink) { self.sink = sink }

    /// Returns when the chunk before this one has been taken: at most two are in memory.
    ///
    /// - Throws: `HTTPFault.disconnected`; `CancellationError`.
    package func write(_ chunk: [UInt8]) async throws { try await self.sink.send(chunk) }
}
