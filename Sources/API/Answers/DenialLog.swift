// Refused attempts to change something, kept in the audit log: a row in a transaction of its own. Rules: HTTP contract,
// section 9, row 21.

import Domain
import HTTP
import Persistence
import Threads

struct DenialLog: Sendable {
    /// In characters, of a path in a row.
    private static let pathLimit = 512

    private let database: any Database
    private let clock: WallClock
    private let defaultTenant: TenantID

    init(database: any Database, clock: WallClock, defaultTenant: TenantID) {
        (self.database, self.clock, self.defaultTenant) = (database, clock, defaultTenant)
    }

    /// - Parameter caller: nil for nobody who is known.
    func record(_ refusal: Refusal, to call: Call, on pattern: PathPattern, by caller: Caller?) async throws {
        let caller = caller ?? .anonymous(in: self.defaultTenant, correlation: call.correlation)
        let entry = AuditEntry(
            "access.denied", on: "route", "\(call.request.method) \(pattern)",
            [
                "path": String(call.request.target.path.prefix(Self.pathLimit)), "reason": refusal.message,
                "remoteAddress": call.request.remoteAddress,
            ])
        try await self.database.transaction { [now = self.clock.now()] transaction in
            try AuditLog.append(entry, by: caller, at: now, transaction)
        }
    }
}
