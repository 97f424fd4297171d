// How long a body has been waited for. Only that time is the client's: a slow handler isn't its fault.

/// The time in which a handler has wanted more of a body than was there.
struct BodyWait {
    private var total = Duration.zero
    private var since: ContinuousClock.Instant?
    /// Where the present window began: bytes received, time waited.
    private var mark = (received: 0, total: Duration.zero)

    mutating func begin() { if self.since == nil { self.since = .now } }

    mutating func end() {
        if let since = self.since.take() { self.total += .now - since }
    }

    /// Whether a whole window has been waited for, and less than `pace` bytes a second of it have come. Begins the next
    /// window where one is over.
    mutating func isTooLong(
        for received: Int, at now: ContinuousClock.Instant, window: Duration, pace: Int
    ) -> Bool {
        let total = self.total + (self.since.map { now - $0 } ?? .zero)
        let waited = total - self.mark.total
        guard pace > 0, waited >= window else { return false }
        let isTooLong = Double(received - self.mark.received) < Double(pace) * (waited / .seconds(1))
        self.mark = (received, total)
        return isTooLong
    }
}
