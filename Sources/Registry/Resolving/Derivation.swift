// What the answers to a hot download have in common, made at the first of them.

import Synchronization

/// Room for one object that is made of a resolved file, kept as long as the file's resolution is. It says nothing that the
/// file does not, so files do not differ by it.
package final class Derivation: Hashable, Sendable {
    private let value = Mutex<(any AnyObject & Sendable)?>(nil)

    /// - Parameter make: gives the same for the same file; may be called more than once.
    package func value<Value: AnyObject & Sendable>(_ make: () -> Value) -> Value {
        if let made = self.value.withLock({ $0 }) as? Value { return made }
        let made = make()
        self.value.withLock { $0 = made }
        return made
    }

    package static func == (left: Derivation, right: Derivation) -> Bool { true }

    package func hash(into hasher: inout Hasher) {}
}
