// Making and disabling tenants: the work of the machine's administrator. Rules: HTTP contract, 2.2 and section 9, row 22.

package import Domain
package import Persistence
package import Registry
package import Threads

/// A tenant just made, with the token that everything else in it begins with.
package struct FoundedTenant: Hashable, Sendable {
    package let tenant: Tenant
    package let token: IssuedToken
}

package struct Tenants: Sendable {
    private let database: any Database
    private let clock: WallClock
    private let tokens: Tokens

    package init(database: any Database, clock: WallClock, tokens: Tokens) {
        self.database = database
        self.clock = clock
        self.tokens = tokens
    }

    /// By slug.
    package func list() async throws -> [Tenant] { try await self.database.lookup { try TenantStore.list($0) } }

    /// - Throws: `not_found`.
    package func find(_ slug: TenantSlug) async throws -> Tenant {
        try await self.database.lookup { try Self.require(slug, $0) }
    }

    /// Makes a tenant and its first token, for an administrator.
    ///
    /// - Throws: `conflict` where there is one of that slug; `bad_request` for a lifetime out of bounds.
    package func found(
        _ slug: TenantSlug, name: String, administrator: Subject, ttlMinutes: Int, correlation: UniqueID,
        commit: Commit<FoundedTenant>
    ) async throws -> FoundedTenant {
        let draft = TokenDraft(subject: administrator, ttlMinutes: ttlMinutes, scopes: [Scope(.admin, on: nil)])
        let issuance = Issuance(draft)
        return try await commit { [now = self.clock.now(), tokens = self.tokens] transaction in
            let tenant = Tenant(id: TenantID(at: now), slug: slug, name: name, createdAt: now)
            guard try TenantStore.insert(tenant, transaction) else {
                throw Refusal.conflict("Tenant '\(slug)' exists already.")
            }
            let caller = Caller.local(in: tenant.id, correlation: correlation)
            try AuditLog.append(
                AuditEntry("tenant.created", on: "tenant", tenant.id, ["slug": slug.text, "name": name]), by: caller,
                at: now, transaction)
            return FoundedTenant(tenant: tenant, token: try tokens.issue(issuance, by: caller, at: now, transaction))
        }
    }

    /// Makes every token of a tenant worthless until it is enabled again.
    ///
    /// - Throws: `not_found`; `conflict` for the tenant `default`.
    package func setDisabled(
        _ isDisabled: Bool, _ slug: TenantSlug, correlation: UniqueID, commit: Commit<Tenant>
    ) async throws -> Tenant {
        guard slug != .standard || !isDisabled else {
            throw Refusal.conflict("The tenant 'default' can't be disabled: revoke its tokens instead.")
        }
        return try await commit { [now = self.clock.now()] transaction in
            let tenant = try Self.require(slug, transaction)
            guard isDisabled != (tenant.disabledAt != nil) else { return tenant }
            let disabledAt = isDisabled ? now : nil
            try TenantStore.disable(tenant.id, at: disabledAt, transaction)
            try AuditLog.append(
                AuditEntry(isDisabled ? "tenant.disabled" : "tenant.enabled", on: "tenant", tenant.id),
                by: .local(in: tenant.id, correlation: correlation), at: now, transaction)
            return Tenant(
                id: tenant.id, slug: slug, name: tenant.name, createdAt: tenant.createdAt, disabledAt: disabledAt)
        }
    }

    private static func require(_ slug: TenantSlug, _ transaction: borrowing Transaction) throws -> Tenant {
        guard let tenant = try TenantStore.find(slug, transaction) else {
            throw Refusal.notFound("Tenant '\(slug)'")
        }
        return tenant
    }
}
