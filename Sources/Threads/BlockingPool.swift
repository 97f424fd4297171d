// Blocking calls (files, name look-ups) happen on dedicated threads and never on Swift's pool.

import Synchronization

/// A fixed number of threads that serve one queue, first come, first served. They end with the pool, when the queue is
/// empty.
package final class BlockingPool: Sendable {
    private let jobs = JobQueue()

    package init(threads: Int) {
        for _ in 0..<threads {
            Thread.start(interrupt: { [jobs] in jobs.close() }, { [jobs] in jobs.serve() })
        }
    }

    deinit { self.jobs.close() }

    /// Runs `body` on one of the threads. A call under way is not interrupted.
    package func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            self.jobs.append { continuation.resume(with: Result { try body() }) }
        }
    }

    /// Runs `body` sometime on one of the threads, and does not wait.
    package func start(_ body: @escaping @Sendable () -> Void) { self.jobs.append(body) }
}

/// The queue, which outlives the pool until it is empty.
private final class JobQueue: Sendable {
    private struct State {
        var jobs: [@Sendable () -> Void] = []
        var head = 0
        var isClosed = false
    }

    private let state = Mutex(State())
    private let work = Semaphore()

    func append(_ job: @escaping @Sendable () -> Void) {
        self.state.withLock { $0.jobs.append(job) }
        self.work.post()
    }

    func close() {
        self.state.withLock { $0.isClosed = true }
        self.work.post()
    }

    /// Runs jobs until the queue is closed and empty.
    func serve() {
        while true {
            self.work.wait()
            let (job, isOver) = self.next()
            job?()
            if isOver { return self.work.post() }  // for the next of the threads
        }
    }

    private func next() -> (job: (@Sendable () -> Void)?, isOver: Bool) {
        self.state.withLock { state in
            guard state.head < state.jobs.count else { return (nil, state.isClosed) }
            let job = state.jobs[state.head]
            state.head += 1
            if state.head > 64, state.head * 2 > state.jobs.count {
                state.jobs.removeFirst(state.head)
                state.head = 0
            }
            return (job, false)
        }
    }
}
