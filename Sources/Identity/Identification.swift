// What one request has made known of its caller, whichever way its route asked: for the audit of refusals.

package import Domain
import Synchronization

package final class Identification: Sendable {
    private let state = Mutex<Caller?>(nil)

    package init() {}

    /// Nil where nobody was recognised.
    package var caller: Caller? { self.state.withLock { $0 } }

    package func found(_ caller: Caller) { self.state.withLock { $0 = caller } }
}
