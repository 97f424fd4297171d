// For runs under the thread sanitizer only: scripts/sanitize puts this file into a copy of each target that waits for a
// continuation, and makes the copy use it (Covered… for Checked…). Where one is resumed before its task has begun to
// wait, Swift's runtime hands the value over by an atomic that the sanitizer can't see; here a lock of pthread's goes
// along, which it can.

import Glibc

@safe private final class Handover: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

    init() { unsafe pthread_mutex_init(self.lock, nil) }

    deinit {
        unsafe pthread_mutex_destroy(self.lock)
        unsafe self.lock.deallocate()
    }

    func pass() {
        unsafe pthread_mutex_lock(self.lock)
        unsafe pthread_mutex_unlock(self.lock)
    }
}

struct CoveredContinuation<T, E: Error>: Sendable {
    private let continuation: CheckedContinuation<T, E>
    private let handover: Handover

    fileprivate init(_ continuation: CheckedContinuation<T, E>, _ handover: Handover) {
        (self.continuation, self.handover) = (continuation, handover)
    }

    func resume(returning value: sending T) {
        self.handover.pass()
        self.continuation.resume(returning: value)
    }

    func resume(throwing error: E) {
        self.handover.pass()
        self.continuation.resume(throwing: error)
    }

    func resume<Failure: Error>(with result: sending Result<T, Failure>) where E == any Error {
        self.handover.pass()
        self.continuation.resume(with: result)
    }

    func resume() where T == Void {
        self.handover.pass()
        self.continuation.resume()
    }
}

func withCoveredContinuation<T>(_ body: (CoveredContinuation<T, Never>) -> Void) async -> sending T {
    let handover = Handover()
    let value = await withCheckedContinuation { body(CoveredContinuation($0, handover)) }
    handover.pass()
    return value
}

func withCoveredThrowingContinuation<T>(
    _ body: (CoveredContinuation<T, any Error>) -> Void
) async throws -> sending T {
    let handover = Handover()
    defer { handover.pass() }
    return try await withCheckedThrowingContinuation { body(CoveredContinuation($0, handover)) }
}
