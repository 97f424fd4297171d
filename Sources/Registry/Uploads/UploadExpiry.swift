// Sessions whose time is over are aborted, and what they have in the store is handed over to be deleted. Rules: HTTP
// contract, section 9, rows 11 and 38.

import Domain
package import Persistence
package import Threads

package struct UploadExpiry: Sendable {
    package static let reason = "expired"
    private static let batch = 100

    private let database: any Database
    private let clock: WallClock

    package init(database: any Database, clock: WallClock) {
        self.database = database
        self.clock = clock
    }

    /// - Returns: how many sessions were aborted.
    @discardableResult
    package func run() async throws -> Int {
        var aborted = 0
        while true {
            let count = try await self.abortBatch()
            aborted += count
            if count < Self.batch { return aborted }
        }
    }

    private func abortBatch() async throws -> Int {
        try await self.database.transaction { [now = self.clock.now()] transaction in
            transaction.allowReserve()
            let expired = try UploadSessionStore.expired(at: now, limit: Self.batch, transaction)
            for (session, repo) in expired {
                var session = session
                session.state = try session.state.after(.expire)
                session.abortReason = Self.reason
                session.lease = nil
                try UploadSessionStore.update(session, at: now, transaction)
                if let key = session.stagingKey {
                    try StagedObjectStore.release(key, due: now, reason: Self.reason, at: now, transaction)
                }
                try AuditLog.append(
                    .upload(
                        "upload.aborted", session.id,
                        ["repoKey": repo.text, "reason": Self.reason, "state": session.state.rawValue]),
                    by: .background(in: session.tenant), at: now, transaction)
            }
            return expired.count
        }
    }
}

extension Caller {
    /// The server's own background work, on a tenant's rows.
    static func background(in tenant: TenantID) -> Caller {
        Caller(tenant: tenant, subject: .system, scopes: [], source: .local, correlation: .random())
    }
}
