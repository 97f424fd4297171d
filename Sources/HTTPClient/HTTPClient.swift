// An HTTP/1.1 client: libcurl's multi interface on one thread, with an async face. Redirections are not followed unless
// asked for, and no proxy, cookie, password file or other setting is taken from the environment.

import CCurl
import HTTP

package final class HTTPClient: Sendable {
    package struct Configuration: Sendable {
        /// PEM: whom to trust in the place of the system's authorities.
        package var certificateAuthorities: String?
        /// Where every request goes, whatever its URL's host.
        package var unixSocket: String?
        package var connectTimeout: Duration = .seconds(10)
        /// To one host and port; more requests wait.
        package var connectionsPerHost = 64
        package var connections = 512
        package var userAgent = "artifortress"
        /// Asked before each connection, with the address in numbers and the port, on the client's thread. Connections
        /// are kept and used again, so that a guard holds for a client's whole life.
        package var allowsAddress: (@Sendable (_ address: String, _ port: UInt16) -> Bool)?

        package init() {}
    }

    private let configuration: Configuration
    let driver: Driver

    package init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        self.driver = Driver(configuration)
        self.driver.start()
    }

    deinit { self.driver.submit(.stop) }

    /// Sends a request. Returns when the answer's head has come, and the request's body has been sent or is not wanted
    /// any more: an answer of 300 or above ends its sending. A streamed body has to heed cancellation.
    ///
    /// - Throws: `HTTPClientFault`; `CancellationError`; what a streamed body throws.
    package func send(_ request: ClientRequest) async throws -> ClientResponse {
        let transfer = try Transfer(request, self.configuration)
        return try await withTaskCancellationHandler {
            self.driver.submit(.add(transfer))
            let head = try await self.exchange(request, transfer)
            return ClientResponse(
                status: head.status, headers: head.headers, body: ResponseBody(transfer, self))
        } onCancel: {
            self.driver.submit(.cancel(transfer))
        }
    }

    private func exchange(_ request: ClientRequest, _ transfer: Transfer) async throws -> Transfer.Head {
        guard case .stream(let body) = request.body else { return try await transfer.head() }
        let resume: @Sendable () -> Void = { [driver] in driver.submit(.resume(transfer)) }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do {
                    for try await chunk in body { try await transfer.offer(chunk, resume) }
                    transfer.endOffers(nil, resume)
                } catch {
                    transfer.endOffers(error, resume)
                }
            }
            let head = try await transfer.head()
            await transfer.sendingEnds()
            group.cancelAll()
            return head
        }
    }
}
