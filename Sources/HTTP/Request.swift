// A request as a handler sees it.

package import Domain

package struct Request: Sendable {
    package let method: String
    package let target: Target
    package let headers: Headers
    /// Numeric, without the port; `local` for a client on the Unix socket.
    package let remoteAddress: String
    /// Whether the connection is encrypted.
    package let isSecure: Bool
    package let body: RequestBody
    /// The subject of the client's certificate (RFC 4514), if one was presented and is valid.
    package var clientSubject: String?
    /// Under which the log speaks of it; nil before that is settled.
    package var correlation: UniqueID?

    package init(
        method: String, target: Target, headers: Headers, remoteAddress: String, isSecure: Bool, body: RequestBody
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.remoteAddress = remoteAddress
        self.isSecure = isSecure
        self.body = body
    }
}

/// Where a request's body comes from.
package protocol BodySource: AnyObject, Sendable {
    /// The bytes that have arrived since the last call; nil at the end.
    ///
    /// - Throws: `HTTPFault`, `CancellationError`.
    func nextChunk() async throws -> [UInt8]?
}

/// A request's body, pulled: what is not asked for stays in the client's socket. It can be read once.
package struct RequestBody: AsyncSequence, Sendable {
    /// As announced, in bytes; nil for a chunked body, zero for none.
    package let length: Int?
    private let source: any BodySource

    package init(length: Int?, source: any BodySource) {
        self.length = length
        self.source = source
    }

    /// A body that is all there.
    package init(_ bytes: [UInt8]) { self.init(length: bytes.count, source: WholeBody(bytes)) }

    package struct AsyncIterator: AsyncIteratorProtocol {
        let source: any BodySource

        /// At most a few hundred KiB.
        ///
        /// - Throws: `HTTPFault.disconnected`, `.bodyTooLarge`; `CancellationError`.
        package func next() async throws -> [UInt8]? { try await self.source.nextChunk() }
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source: self.source) }

    /// The whole body.
    ///
    /// - Throws: `HTTPFault.bodyTooLarge` where it is longer than `limit` bytes, before it is sent where its length is
    ///   known.
    package func collect(upTo limit: Int) async throws -> [UInt8] {
        if let length = self.length, length > limit { throw HTTPFault.bodyTooLarge }
        var bytes: [UInt8] = []
        if let length = self.length { bytes.reserveCapacity(length) }
        for try await chunk in self {
            guard bytes.count + chunk.count <= limit else { throw HTTPFault.bodyTooLarge }
            bytes += chunk
        }
        return bytes
    }
}

/// Why a request or its response cannot go on.
package enum HTTPFault: Error, Hashable {
    /// The client has gone, its time is up, or the server is being stopped.
    case disconnected
    case bodyTooLarge
    case cannotListen(errno: Int32)
    case cannotStart(reason: String)
}
