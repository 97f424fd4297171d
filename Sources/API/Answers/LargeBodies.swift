// How many large JSON bodies are in memory at a time. A document takes several times its length once it is read.

import Domain
import Synchronization

/// Places for large bodies, shared by all requests. Who finds none waits for a while.
final class LargeBodies: Sendable {
    /// In bytes: a shorter body needs no place.
    static let threshold = 256 << 10

    private struct State: ~Copyable {
        var free: Int
        var waiting: [(id: Int, continuation: CheckedContinuation<Bool, Never>)] = []
        var withdrawn: Set<Int> = []
        var count = 0
    }

    private let state: Mutex<State>
    private let queueTimeout: Duration

    init(places: Int = 4, queueTimeout: Duration = .seconds(10)) {
        self.state = Mutex(State(free: places))
        self.queueTimeout = queueTimeout
    }

    /// How many requests wait for a place.
    var waitingCount: Int { self.state.withLock { $0.waiting.count } }

    /// Takes a place, to be given back by ``leave()``.
    ///
    /// - Throws: `service_unavailable` if none is free in time.
    func enter() async throws {
        let id = self.state.withLock { state -> Int? in
            if state.free > 0 {
                state.free -= 1
                return nil
            }
            state.count += 1
            return state.count
        }
        guard let id else { return }
        let isAdmitted = await withTaskGroup(of: Bool?.self) { [queueTimeout] group in
            group.addTask { await self.wait(id) }
            group.addTask {
                try? await Task.sleep(for: queueTimeout)
                return nil
            }
            var answer = await group.next() ?? nil
            if answer == nil {
                self.withdraw(id)
                answer = await group.next() ?? nil
            }
            group.cancelAll()
            return answer ?? false
        }
        guard isAdmitted else {
            throw Refusal(
                .serviceUnavailable, "The server is processing as many large request bodies as it can. Try again.",
                ["retryAfterSeconds": 5])
        }
    }

    func leave() {
        let next = self.state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard !state.waiting.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst().continuation
        }
        next?.resume(returning: true)
    }

    private func wait(_ id: Int) async -> Bool {
        await withCheckedContinuation { continuation in
            let answer = self.state.withLock { state -> Bool? in
                if state.withdrawn.remove(id) != nil { return false }
                if state.free > 0 {
                    state.free -= 1
                    return true
                }
                state.waiting.append((id, continuation))
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    /// Ends the waiting; no effect on a request that has been admitted.
    private func withdraw(_ id: Int) {
        let continuation = self.state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard let index = state.waiting.firstIndex(where: { $0.id == id }) else {
                state.withdrawn.insert(id)
                return nil
            }
            return state.waiting.remove(at: index).continuation
        }
        continuation?.resume(returning: false)
    }
}

/// One request's place, kept until its answer is made.
final class BodyAdmission: Sendable {
    private let bodies: LargeBodies
    private let isHeld = Mutex(false)

    init(_ bodies: LargeBodies) { self.bodies = bodies }

    /// To be called once a body is there, before it is read as JSON: a slow sender holds no place.
    ///
    /// - Throws: `service_unavailable`.
    func admit(_ bytes: [UInt8]) async throws {
        guard bytes.count > LargeBodies.threshold, !self.isHeld.withLock({ $0 }) else { return }
        try await self.bodies.enter()
        self.isHeld.withLock { $0 = true }
    }

    func end() {
        let wasHeld = self.isHeld.withLock { isHeld in
            defer { isHeld = false }
            return isHeld
        }
        if wasHeld { self.bodies.leave() }
    }
}
