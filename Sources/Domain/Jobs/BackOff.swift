// How long after a failure work is tried again. Rules: HTTP contract, 4.4 (back-off).

/// Twice as long after each failure, up to a limit; and a little longer by chance, so that what failed together is not
/// tried again all at once.
package struct BackOff: Hashable, Sendable {
    /// In seconds: after the first failure.
    package let first: Int64
    /// How often it is doubled.
    private static let doublings = 5

    /// 30, 60, 120, 240, 480, 960, 960 … seconds.
    package static let standard = BackOff(first: 30)

    package init(first: Int64) { self.first = first }

    /// In seconds, without the chance.
    ///
    /// - Parameter failures: in a row, from 1.
    package func delay(after failures: Int) -> Int64 {
        self.first << Int64(min(max(failures, 1) - 1, Self.doublings))
    }

    /// When to try again: up to a tenth later than the delay says.
    package func next(
        after failures: Int, at now: Timestamp, using random: inout some RandomNumberGenerator
    ) -> Timestamp {
        let delay = self.delay(after: failures) * 1_000_000
        return Timestamp(microseconds: now.microseconds + delay + Int64.random(in: 0...delay / 10, using: &random))
    }

    package func next(after failures: Int, at now: Timestamp) -> Timestamp {
        var random = SystemRandomNumberGenerator()
        return self.next(after: failures, at: now, using: &random)
    }
}

/// The holder of a piece of work. Its token is required to record the outcome, and is rejected after the lease has ended.
package struct Lease: Hashable, Sendable {
    package let token: UniqueID
    package let until: Timestamp

    package init(token: UniqueID, until: Timestamp) {
        self.token = token
        self.until = until
    }

    /// A new one.
    package init(from now: Timestamp, seconds: Int64) { self.init(token: .random(), until: now + seconds) }
}
