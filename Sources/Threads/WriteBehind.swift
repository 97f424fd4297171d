// Chunks on their way to a thread that may block.

import Synchronization

/// Gathers chunks into batches, and hands one batch at a time to a blocking pool while the next is gathered: a sender
/// waits for the disk only where it is a batch ahead of it. At most two batches (of `batchLength` and a chunk) are in
/// memory. Calls come one after the other.
package final class WriteBehind: Sendable {
    private struct State {
        var gathered: [[UInt8]] = []
        var gatheredLength = 0
        var isBusy = false
        var failure: (any Error)?
        var waiter: CheckedContinuation<Void, any Error>?
    }

    /// In bytes.
    private static let batchLength = 128 * 1024

    private let state = Mutex(State())
    private let pool: BlockingPool
    private let sink: @Sendable ([[UInt8]]) throws -> Void

    /// - Parameter sink: takes a batch, on a thread of the pool, never two at a time.
    package init(_ pool: BlockingPool, _ sink: @escaping @Sendable ([[UInt8]]) throws -> Void) {
        self.pool = pool
        self.sink = sink
    }

    /// - Throws: what the sink threw for this or an earlier batch.
    package func write(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        let isFull = self.state.withLock { state in
            state.gathered.append(bytes)
            state.gatheredLength += bytes.count
            return state.gatheredLength >= Self.batchLength
        }
        guard isFull else { return }
        try await self.idle()
        let batch = self.take()
        self.state.withLock { $0.isBusy = true }
        self.pool.start {
            let result = Result { try self.sink(batch) }
            let waiter = self.state.withLock { state in
                state.isBusy = false
                if case .failure(let error) = result { state.failure = error }
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume(with: result)
        }
    }

    /// Hands the rest over, then runs `body`, all on one thread of the pool.
    package func finish<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await self.idle()
        let batch = self.take()
        return try await self.pool.run {
            if !batch.isEmpty { try self.sink(batch) }
            return try body()
        }
    }

    /// Waits until no batch is under way.
    ///
    /// - Throws: what the sink threw.
    package func idle() async throws {
        try await withCheckedThrowingContinuation { continuation in
            let result: Result<Void, any Error>? = self.state.withLock { state in
                if let failure = state.failure { return .failure(failure) }
                if !state.isBusy { return .success(()) }
                state.waiter = continuation
                return nil
            }
            if let result { continuation.resume(with: result) }
        }
    }

    private func take() -> [[UInt8]] {
        self.state.withLock { state in
            defer { (state.gathered, state.gatheredLength) = ([], 0) }
            return state.gathered
        }
    }
}
