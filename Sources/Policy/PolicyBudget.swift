// The time that a verdict may take (setting `policy.evaluationTimeoutMs`).

import Synchronization
package import Threads

package struct PolicyBudget: Sendable {
    package let limit: Duration
    private let clock: SteadyClock

    package init(_ limit: Duration, clock: SteadyClock) {
        self.limit = limit
        self.clock = clock
    }

    /// Gives what `work` gives, or ends when the time is over, whatever `work` does: a call that hangs is left to itself,
    /// cancelled.
    ///
    /// - Throws: `PolicyFault.timedOut`; `CancellationError`; what `work` throws.
    package func run<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let race = Race<Value>()
        let runner = Task {
            do { race.end(.success(try await work())) } catch { race.end(.failure(error)) }
        }
        let timer = Task { [clock, limit] in
            do { try await clock.sleep(for: limit) } catch { return }
            race.end(.failure(PolicyFault.timedOut))
        }
        defer {
            runner.cancel()
            timer.cancel()
        }
        return try await withTaskCancellationHandler {
            try await race.result()
        } onCancel: {
            race.end(.failure(CancellationError()))
        }
    }
}

/// The first of several results.
private final class Race<Value: Sendable>: Sendable {
    private struct State {
        var result: Result<Value, any Error>?
        var waiting: CheckedContinuation<Value, any Error>?
    }

    private let state = Mutex(State())

    func end(_ result: Result<Value, any Error>) {
        let waiting = self.state.withLock { state -> CheckedContinuation<Value, any Error>? in
            guard state.result == nil else { return nil }
            state.result = result
            return state.waiting.take()
        }
        waiting?.resume(with: result)
    }

    /// To be called once.
    func result() async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let result = self.state.withLock { state -> Result<Value, any Error>? in
                if state.result == nil { state.waiting = continuation }
                return state.result
            }
            if let result { continuation.resume(with: result) }
        }
    }
}
