// What one request has made known of its caller, whichever way its route asked: for the audit of refusals, and for the
// throttle of failed credentials.

package import Domain
import Synchronization

package final class Identification: Sendable {
    private let state = Mutex<(caller: Caller?, hasFailed: Bool)>((nil, false))

    package init() {}

    /// Nil where nobody was recognised.
    package var caller: Caller? { self.state.withLock { $0.caller } }

    /// Whether something was presented that nobody is known by.
    package var hasFailed: Bool { self.state.withLock { $0.hasFailed } }

    package func found(_ caller: Caller) { self.state.withLock { $0.caller = caller } }

    package func failed() { self.state.withLock { $0.hasFailed = true } }
}
