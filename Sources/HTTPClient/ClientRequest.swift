// A request to be sent, and its answer.

package import HTTP

package struct ClientRequest: Sendable {
    package var method: String
    /// Absolute, `http` or `https`, percent-encoded; it is sent as it stands, dots and all.
    package var url: String
    /// `Host` and `Content-Length` are the client's, unless they are here.
    package var headers: Headers
    package var body: Body
    /// Whether a body is held back until the server says `100 Continue`, or a second has passed.
    package var expectsContinue = false
    /// How many redirections are followed; GET and HEAD only.
    package var redirectLimit = 0
    /// For everything, to the end of the answer's body; nil for no limit.
    package var timeout: Duration?
    /// Without a byte either way, while it is not us who is waited for.
    package var stallTimeout: Duration = .seconds(60)

    package enum Body: Sendable {
        case none
        /// Can be sent again, where a kept connection turns out to be dead.
        case bytes([UInt8])
        /// Pulled while it is sent: at most two chunks are in memory.
        case stream(RequestBody)
    }

    package init(_ method: String, _ url: String, headers: Headers = [:], body: Body = .none) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }
}

/// An answer whose head has come. To let go of it is to end the transfer.
package struct ClientResponse: Sendable {
    package let status: Int
    package let headers: Headers
    package let body: ResponseBody
}

/// An answer's body, pulled: what is not asked for stays on the server's side, but for some 256 KiB. It can be read once.
package final class ResponseBody: BodySource, AsyncSequence {
    private let transfer: Transfer
    /// Kept, for the driver ends with it.
    private let client: HTTPClient

    init(_ transfer: Transfer, _ client: HTTPClient) {
        self.transfer = transfer
        self.client = client
    }

    deinit { if !self.transfer.hasEnded { self.client.driver.submit(.cancel(self.transfer)) } }

    /// - Throws: `HTTPClientFault`; `CancellationError`.
    package func nextChunk() async throws -> [UInt8]? {
        try await withTaskCancellationHandler {
            try await self.transfer.nextChunk { self.client.driver.submit(.resume(self.transfer)) }
        } onCancel: {
            self.client.driver.submit(.cancel(self.transfer))
        }
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        let body: ResponseBody
        package func next() async throws -> [UInt8]? { try await self.body.nextChunk() }
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(body: self) }

    /// The whole body.
    ///
    /// - Throws: `HTTPClientFault.bodyTooLarge` where it is longer than `limit` bytes.
    package func collect(upTo limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await chunk in self {
            guard bytes.count + chunk.count <= limit else { throw HTTPClientFault.bodyTooLarge }
            if bytes.isEmpty { bytes = chunk } else { bytes += chunk }
        }
        return bytes
    }
}
