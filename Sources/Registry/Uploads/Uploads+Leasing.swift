// Work on a session that takes longer than a transaction: one at a time, under a lease that is renewed while it lasts.
// Source: HTTP contract, section 9, row 38.

import Domain
import Persistence
import Threads

extension Uploads {
    /// In seconds: after that a session is free again whose worker has died.
    private static let leaseLifetime: Int64 = 60
    private static let renewal = Duration.seconds(15)

    func freshLease(at now: Timestamp) -> UploadLease {
        UploadLease(token: .random(), until: now + Self.leaseLifetime)
    }

    /// Runs `work` while renewing the lease. The work is cancelled if the lease is lost.
    ///
    /// - Throws: `conflict` where the lease was lost; what `work` throws. The lease is given back then.
    func working<Value: Sendable>(
        on id: UploadID, _ lease: UploadLease, under grant: Grant, _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        do {
            return try await withThrowingTaskGroup(of: Value?.self) { group in
                group.addTask { try await work() }
                group.addTask {
                    try await self.keepRenewing(id, lease)
                    return nil
                }
                defer { group.cancelAll() }
                while let value = try await group.next() {
                    if let value { return value }
                }
                throw CancellationError()
            }
        } catch {
            await self.release(id, lease, under: grant)
            throw error
        }
    }

    /// Until the task is cancelled.
    private func keepRenewing(_ id: UploadID, _ lease: UploadLease) async throws {
        while true {
            try await Task.sleep(for: Self.renewal)
            let renewed = UploadLease(token: lease.token, until: self.clock.now() + Self.leaseLifetime)
            do {
                guard try await self.database.transaction({ try UploadSessionStore.renew(id, renewed, $0) }) else {
                    throw Refusal.conflict("The upload session was changed by another request.")
                }
            } catch is DatabaseFault {
                // The lease still holds for a while: the next turn tries again.
            }
        }
    }
}

extension UploadSession {
    /// - Throws: `conflict` where the lease is not the session's any more.
    func mustBeHeld(by lease: UploadLease) throws(Refusal) {
        guard self.lease?.token == lease.token, !self.state.isTerminal else {
            throw Refusal(
                .conflict, "The upload session was changed by another request.", ["state": .string(self.state.rawValue)]
            )
        }
    }
}
