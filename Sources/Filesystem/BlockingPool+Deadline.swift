import Storage
import Synchronization
import Threads

extension BlockingPool {
    /// Runs `body`, and stops waiting for it (it goes on) when the time is over: a disk may never answer.
    ///
    /// - Throws: `unavailable` when the time is over.
    func run(within limit: Duration, _ body: @escaping @Sendable () throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let answer = Answer()
            group.addTask {
                try await withTaskCancellationHandler {
                    try await answer.wait { self.start { answer.resume(with: Result { try body() }) } }
                } onCancel: {
                    answer.resume(with: .failure(CancellationError()))
                }
            }
            group.addTask {
                try await Task.sleep(for: limit)
                throw StorageFault.unavailable("no answer within \(limit)")
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}

/// The first result counts.
private final class Answer: Sendable {
    private enum State {
        case idle
        case done(Result<Void, any Error>)
        case waiting(CheckedContinuation<Void, any Error>)
    }

    private let state = Mutex(State.idle)

    func wait(_ start: () -> Void) async throws {
        try await withCheckedThrowingContinuation { continuation in
            let result: Result<Void, any Error>? = self.state.withLock { state in
                if case .done(let result) = state { return result }
                state = .waiting(continuation)
                return nil
            }
            if let result { continuation.resume(with: result) } else { start() }
        }
    }

    func resume(with result: Result<Void, any Error>) {
        let waiter: CheckedContinuation<Void, any Error>? = self.state.withLock { state in
            guard case .done = state else {
                defer { state = .done(result) }
                if case .waiting(let continuation) = state { return continuation }
                return nil
            }
            return nil
        }
        waiter?.resume(with: result)
    }
}
