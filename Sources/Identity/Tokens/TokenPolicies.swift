// Tenants' rules for issuing tokens. Rules: HTTP contract, 7.2 and section 9, rows 4 and 29.

package import Domain
package import Persistence
package import Registry
package import Threads

package struct TokenPolicies: Sendable {
    private let database: any Database
    private let clock: WallClock
    /// The setting `auth.pat.maxTtlMinutes`.
    private let maxTTLMinutes: Int

    package init(database: any Database, clock: WallClock, maxTTLMinutes: Int) {
        self.database = database
        self.clock = clock
        self.maxTTLMinutes = maxTTLMinutes
    }

    /// What holds: the tenant's own rules under the server's cap.
    package func show(under grant: TenantGrant) async throws -> TokenPolicy {
        let own = try await self.database.lookup { try TokenPolicyStore.find(grant.tenant, $0) }
        return (own ?? .standard(cap: self.maxTTLMinutes)).capped(at: self.maxTTLMinutes)
    }

    /// - Throws: `bad_request` for a lifetime out of bounds.
    package func set(
        maxTTLMinutes: Int64, allowsBootstrapIssuance: Bool, under grant: TenantGrant, commit: Commit<TokenPolicy>
    ) async throws -> TokenPolicy {
        guard let minutes = Int(exactly: maxTTLMinutes), TokenPolicy.ttlBounds.contains(minutes) else {
            throw Refusal.badRequest(
                "maxTtlMinutes must be \(TokenPolicy.ttlBounds.lowerBound) to \(TokenPolicy.ttlBounds.upperBound).")
        }
        return try await commit { [now = self.clock.now(), cap = self.maxTTLMinutes] transaction in
            let policy = TokenPolicy(
                maxTTLMinutes: minutes, allowsBootstrapIssuance: allowsBootstrapIssuance,
                updatedBy: grant.caller.subject.text, updatedAt: now)
            try TokenPolicyStore.set(policy, of: grant.tenant, transaction)
            try AuditLog.append(
                AuditEntry(
                    "auth.pat.policy.updated", on: "pat_policy", grant.tenant,
                    [
                        "maxTtlMinutes": String(minutes),
                        "allowBootstrapIssuance": allowsBootstrapIssuance ? "True" : "False",
                    ]), by: grant.caller, at: now, transaction)
            return policy.capped(at: cap)
        }
    }
}
