// Refusals that are kept in the audit log, each in a transaction of its own: attempts to change something, and guesses
// that were cut off. Rules: HTTP contract, section 9, row 21.

import Domain
import HTTP
import Identity
import Persistence
import Threads

struct DenialLog: Sendable {
    /// In characters, of a path in a row.
    private static let pathLimit = 512

    private let database: any Database
    private let clock: WallClock
    private let defaultTenant: TenantID

    init(database: any Database, clock: WallClock, defaultTenant: TenantID) {
        self.database = database
        self.clock = clock
        self.defaultTenant = defaultTenant
    }

    /// - Parameter caller: nil if the request has no valid credential.
    func denied(_ refusal: Refusal, to call: Call, on pattern: PathPattern, by caller: Caller?) async throws {
        var details: [JSON.Member] = [
            .init("path", .string(String(call.request.target.path.prefix(Self.pathLimit)))),
            .init("reason", .string(refusal.message)), .init("remoteAddress", .string(call.request.remoteAddress)),
        ]
        if let subject = call.request.clientSubject { details.append(.init("clientCertificate", .string(subject))) }
        try await self.append(
            AuditEntry("access.denied", on: "route", "\(call.request.method) \(pattern)", details), by: caller, call)
    }

    /// - Parameter name: which limit was reached.
    func throttled(_ name: Throttle.Name, _ call: Call) async throws {
        let (type, id) =
            switch name {
            case .address(let address): ("address", address)
            // Enough to tell one from another, too little to search for what was presented.
            case .credential(let fingerprint): ("credential", String(fingerprint >> 32, radix: 16))
            }
        try await self.append(
            AuditEntry("access.throttled", on: type, id, ["remoteAddress": call.request.remoteAddress]), by: nil, call)
    }

    private func append(_ entry: AuditEntry, by caller: Caller?, _ call: Call) async throws {
        let caller = caller ?? .anonymous(in: self.defaultTenant, correlation: call.correlation)
        try await self.database.transaction { [now = self.clock.now()] transaction in
            try AuditLog.append(entry, by: caller, at: now, transaction)
        }
    }
}
