// Background work that failed for good: shown, and tried again on request. Rules: HTTP contract, section 9, row 8.

package import Domain
package import Persistence
package import Threads

package struct DeadLetters: Sendable {
    private let database: any Database
    private let clock: WallClock
    private let maxAttempts: Int

    /// - Parameter maxAttempts: after how many attempts a job has failed for good.
    package init(database: any Database, clock: WallClock, maxAttempts: Int) {
        self.database = database
        self.clock = clock
        self.maxAttempts = maxAttempts
    }

    /// The newest first.
    package func list(limit: Int, under grant: TenantGrant) async throws -> [DeadLetter] {
        try await self.database.read { [maxAttempts] in
            try DeadLetterStore.list(of: grant.tenant, maxAttempts: maxAttempts, limit: limit, $0)
        }
    }

    /// - Throws: `not_found`.
    package func retry(
        _ id: UniqueID, under grant: TenantGrant, commit: Commit<DeadLetter.Kind>
    ) async throws -> DeadLetter.Kind {
        try await commit { [now = self.clock.now(), maxAttempts] transaction in
            let kind = try DeadLetterStore.retry(
                id, of: grant.tenant, maxAttempts: maxAttempts, at: now, transaction)
            guard let kind else { throw Refusal.notFound("The dead letter") }
            try AuditLog.append(
                AuditEntry("dead_letter.retried", on: kind.rawValue, id), by: grant.caller, at: now, transaction)
            return kind
        }
    }
}
