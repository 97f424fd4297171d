// Why there is no answer, or not all of it. The texts are for the log.

package enum HTTPClientFault: Error, Hashable {
    /// The URL, the method or a header can't be sent.
    case invalidRequest(String)
    case unknownHost(String)
    /// The guard refuses every address that the host has.
    case addressRefused(String)
    case cannotConnect(String)
    /// No secure connection: a certificate that isn't trusted, or no common protocol.
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
}
