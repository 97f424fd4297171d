// Time that only goes on, for limits. Handed to whatever needs it, so that a test can let it pass.

package struct SteadyClock: Sendable {
    private let read: @Sendable () -> Duration
    private let wait: @Sendable (Duration) async throws -> Void

    /// - Parameters:
    ///   - read: since a beginning that stays the same.
    ///   - wait: returns when so much time has passed; throws `CancellationError`.
    package init(
        _ read: @escaping @Sendable () -> Duration, wait: @escaping @Sendable (Duration) async throws -> Void
    ) {
        self.read = read
        self.wait = wait
    }

    package func now() -> Duration { self.read() }

    /// - Throws: `CancellationError`.
    package func sleep(for duration: Duration) async throws { try await self.wait(duration) }

    /// The machine's.
    package static let system: SteadyClock = {
        let start = ContinuousClock.now
        return SteadyClock({ ContinuousClock.now - start }, wait: { try await Task.sleep(for: $0) })
    }()
}
