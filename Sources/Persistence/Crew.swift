// Threads that each own one connection and serve one queue, first come, first served. Blocking calls happen here and
// never on Swift's pool. There is no separate pool of connections: a free thread is a free connection.

import Glibc
import Synchronization
import Threads

/// A connection and what to do with it. Made on its thread, used there, and released there.
package protocol Worker: AnyObject {
    /// Performs the jobs and settles each of them.
    func serve(_ jobs: [any Job])
}

package final class ConnectionPool: Sendable {
    private struct State: ~Copyable {
        var queue: [any Job] = []
        var head = 0
        var closing = false
        var running = 0
        var idle = 0
        var closeWaiters: [CheckedContinuation<Void, Never>] = []
    }

    private let batch: Int
    private let queueTimeout: Duration
    private let state = Mutex(State())
    private let work = Semaphore()
    private let watch = Semaphore()
    private let watching = Atomic(false)
    private let size: Int

    /// - Parameters:
    ///   - batch: how many waiting jobs one thread takes at once.
    ///   - queueTimeout: how long a caller waits for its turn.
    package init(
        _ size: Int, batch: Int = 1, queueTimeout: Duration, worker: @escaping @Sendable () -> any Worker
    ) {
        self.size = size
        self.batch = batch
        self.queueTimeout = queueTimeout
        self.state.withLock { $0.running = size + 1 }
        for _ in 0..<size {
            Thread.start(
                interrupt: { [weak self] in self?.end() },
                {
                    self.serve(worker())
                    self.leave()  // after the worker's end: when `close` returns, the connection is closed
                })
        }
        Thread.start(interrupt: { [weak self] in self?.end() }, { self.expire() })
    }

    package func run<Value: Sendable>(
        _ work: Work, _ body: @escaping @Sendable (borrowing Transaction) throws -> Value
    ) async throws -> Value {
        let job = PendingJob(work, before: .now + self.queueTimeout, body)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                if job.await(continuation) { self.enqueue(job) }
            }
        } onCancel: {
            job.withdraw(CancellationError())
        }
    }

    /// - Parameter pool: what to call it.
    package func statistics(of pool: String) -> PoolStatistics {
        self.state.withLock { state in
            PoolStatistics(
                pool: pool, size: self.size, busy: self.size - state.idle, waiting: state.queue.count - state.head)
        }
    }

    package func close() async {
        self.end()
        await withCheckedContinuation { continuation in
            let isOver = self.state.withLock { state in
                if state.running > 0 { state.closeWaiters.append(continuation) }
                return state.running == 0
            }
            if isOver { continuation.resume() }
        }
    }

    /// Refuses the jobs that wait and those that come, and lets each thread end after its present jobs.
    private func end() {
        let (waiting, isFirst) = self.state.withLock { state in
            let isFirst = !state.closing
            state.closing = true
            defer { (state.queue, state.head) = ([], 0) }
            return (Array(state.queue[state.head...]), isFirst)
        }
        guard isFirst else { return }
        for job in waiting { job.withdraw(DatabaseFault.unavailable("the connection pool is closed")) }
        for _ in 0..<self.size { self.work.post() }
        self.watch.post()
    }

    private func enqueue(_ job: any Job) {
        let (closing, starved) = self.state.withLock { state in
            if !state.closing { state.queue.append(job) }
            return (state.closing, state.queue.count - state.head > state.idle)
        }
        if closing { return job.withdraw(DatabaseFault.unavailable("the connection pool is closed")) }
        self.work.post()
        if starved, !self.watching.exchange(true, ordering: .acquiringAndReleasing) { self.watch.post() }
    }

    private func serve(_ worker: any Worker) {
        while true {
            self.state.withLock { $0.idle += 1 }
            self.work.wait()
            let (jobs, closing) = self.state.withLock { state in
                state.idle -= 1
                var jobs: [any Job] = []
                while jobs.count < self.batch, state.head < state.queue.count {
                    let job = state.queue[state.head]
                    state.head += 1
                    if job.claim() { jobs.append(job) }
                }
                if state.head > 64, state.head * 2 > state.queue.count {
                    state.queue.removeFirst(state.head)
                    state.head = 0
                }
                return (jobs, state.closing)
            }
            if !jobs.isEmpty { worker.serve(jobs) }
            if closing { return }
        }
    }

    /// Answers those who waited too long, every 20 ms while anybody waits.
    private func expire() {
        while true {
            self.watch.wait()
            var backlog = 1
            while backlog > 0 {
                usleep(20_000)
                let now = ContinuousClock.now
                let (late, left, closing) = self.state.withLock { state in
                    let waiting = state.queue[state.head...]
                    return (waiting.prefix { $0.deadline < now }, waiting.count, state.closing)
                }
                for job in late { job.withdraw(DatabaseFault.poolTimeout) }
                backlog = left
                if closing { return self.leave() }
            }
            self.watching.store(false, ordering: .releasing)
        }
    }

    private func leave() {
        let closeWaiters = self.state.withLock { state in
            state.running -= 1
            return state.running == 0 ? state.closeWaiters : []
        }
        for waiter in closeWaiters { waiter.resume() }
    }
}
