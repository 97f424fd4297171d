// What the loops and the handlers of a running server share.

import HTTP
import Synchronization

final class ServerCore: Sendable {
    let configuration: Server.Configuration
    let statistics: Server.Statistics
    let listener: Listener
    let mailboxes: [Mailbox]
    /// Nil if connections are not encrypted.
    let tls: TLSSource?
    let handler: @Sendable (Request) async throws -> Response
    let addresses = AddressTable()
    /// Handlers that run.
    let tasks = Atomic(0)

    init(
        _ configuration: Server.Configuration, _ statistics: Server.Statistics, _ listener: Listener,
        _ mailboxes: [Mailbox], _ tls: TLSSource?, _ handler: @escaping @Sendable (Request) async throws -> Response
    ) {
        self.configuration = configuration
        self.statistics = statistics
        self.listener = listener
        self.mailboxes = mailboxes
        self.tls = tls
        self.handler = handler
    }

    /// The answer to a request that the server itself rejects.
    func response(rejecting rejection: Rejection, from remoteAddress: String) -> Response {
        self.answer(rejection.status, rejection.rawValue, to: remoteAddress)
    }

    /// The answer if a handler throws, or answers with what cannot be sent.
    func internalFault(_ remoteAddress: String) -> Response {
        self.answer(500, "An internal error occurred.", to: remoteAddress)
    }

    private func answer(_ status: Int, _ message: String, to remoteAddress: String) -> Response {
        let response = self.configuration.refusal(status, message)
        self.statistics.reject()
        self.configuration.observe(
            .rejected(
                status: status, message: message, remoteAddress: remoteAddress,
                correlation: response.headers["X-Correlation-Id"]))
        return response
    }
}
