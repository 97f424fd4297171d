// Blocking calls (files, name look-ups) happen on threads of ours and never on Swift's pool.

import Synchronization

/// A fixed number of threads that serve one queue, first come, first served. It lives as long as the process.
package final class BlockingPool: Sendable {
    private struct State {
        var queue: [@Sendable () -> Void] = []
        var head = 0
    }

    private let state = Mutex(State())
    private let work = Semaphore()

    package init(threads: Int) {
        for _ in 0..<threads { Thread.start { self.serve() } }
    }

    /// Runs `body` on one of the threads. A call under way isn't interrupted.
    package func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            self.enqueue { continuation.resume(with: Result { try body() }) }
        }
    }

    /// Runs `body` sometime on one of the threads, and doesn't wait.
    package func start(_ body: @escaping @Sendable () -> Void) { self.enqueue(body) }

    private func enqueue(_ job: @escaping @Sendable () -> Void) {
        self.state.withLock { $0.queue.append(job) }
        self.work.post()
    }

    private func serve() {
        while true {
            self.work.wait()
            let job: (@Sendable () -> Void)? = self.state.withLock { state in
                guard state.head < state.queue.count else { return nil }
                let job = state.queue[state.head]
                state.head += 1
                if state.head > 64, state.head * 2 > state.queue.count {
                    state.queue.removeFirst(state.head)
                    state.head = 0
                }
                return job
            }
            job?()
        }
    }
}
