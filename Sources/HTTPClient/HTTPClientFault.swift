// Why there is no answer, or not all of it. The texts are for the log.

import Domain

package enum HTTPClientFault: Fault, Hashable {
    /// The URL, the method or a header cannot be sent.
    case invalidRequest(String)
    case unknownHost(String)
    /// The guard refuses every address that the host has.
    case addressRefused(String)
    case cannotConnect(String)
    /// No secure connection: a certificate that is not trusted, or no common protocol.
    case insecure(String)
    case timedOut(String)
    /// The connection ended before the answer did.
    case connectionLost(String)
    /// What came is no HTTP, or its head is too large.
    case malformedAnswer(String)
    /// The body is longer than the reader takes.
    case bodyTooLarge
    /// The client is gone.
    case stopped
    case other(String)

    package var description: String {
        switch self {
        case .invalidRequest(let text): "the request cannot be sent: \(FaultText.line(text))"
        case .unknownHost(let text): "the host name cannot be resolved: \(FaultText.line(text))"
        case .addressRefused(let text): "the address is not allowed: \(FaultText.line(text))"
        case .cannotConnect(let text): "no connection: \(FaultText.line(text))"
        case .insecure(let text): "no trusted TLS connection: \(FaultText.line(text))"
        case .timedOut(let text): "no answer in time: \(FaultText.line(text))"
        case .connectionLost(let text): "the connection was lost: \(FaultText.line(text))"
        case .malformedAnswer(let text): "the answer is not valid HTTP: \(FaultText.line(text))"
        case .bodyTooLarge: "the answer is too long"
        case .stopped: "the HTTP client has stopped"
        case .other(let text): "the request failed: \(FaultText.line(text))"
        }
    }
}
