// Issuing and revoking personal access tokens. Rules: HTTP contract, 2.4, 3.2, 7.2 and section 9, rows 2 to 4, 29.

package import Domain
package import Persistence
package import Registry
package import Threads

/// What a new token is to be.
package struct TokenDraft: Hashable, Sendable {
    package let subject: Subject
    package let ttlMinutes: Int
    /// Empty: those of the subject's bindings.
    package let scopes: [Scope]

    package init(subject: Subject, ttlMinutes: Int, scopes: [Scope]) {
        self.subject = subject
        self.ttlMinutes = ttlMinutes
        self.scopes = scopes
    }
}

/// A token just made: the only moment at which anybody sees it.
package struct IssuedToken: Hashable, Sendable {
    package let id: TokenID
    package let token: String
    package let subject: Subject
    package let scopes: [Scope]
    package let expiresAt: Timestamp
    /// What the issuer probably did not intend, in words.
    package let warnings: [String]
}

/// A token on its way: made once, however often its transaction is run.
struct Issuance: Sendable {
    let draft: TokenDraft
    let id = TokenID(UniqueID.random())
    let token: String
    let hash: String

    init(_ draft: TokenDraft) {
        self.draft = draft
        self.token = TokenText.fresh()
        self.hash = Credential.hash(of: self.token)
    }
}

/// Leave to issue tokens.
package struct IssuingAuthority: Sendable {
    package let caller: Caller

    /// Of a tenant's administrator, or of the machine's own.
    package init(_ grant: TenantGrant) { self.caller = grant.caller }

    fileprivate init(bootstrap caller: Caller) { self.caller = caller }
}

package struct Tokens: Sendable {
    private let database: any Database
    private let clock: WallClock
    private let bootstrap: BootstrapToken
    /// The setting `auth.pat.maxTtlMinutes`.
    private let maxTTLMinutes: Int
    private let defaultTenant: TenantID

    package init(
        database: any Database, clock: WallClock, bootstrap: BootstrapToken, maxTTLMinutes: Int,
        defaultTenant: TenantID
    ) {
        self.database = database
        self.clock = clock
        self.bootstrap = bootstrap
        self.maxTTLMinutes = maxTTLMinutes
        self.defaultTenant = defaultTenant
    }

    /// Authorization to issue tokens in the tenant `default` with the bootstrap token.
    ///
    /// - Throws: `forbidden`.
    package func bootstrapAuthority(_ presented: String, correlation: UniqueID) async throws -> IssuingAuthority {
        let caller = Caller(
            tenant: self.defaultTenant, subject: .bootstrap, scopes: [], source: .local, correlation: correlation)
        let now = self.clock.now()
        let (isRight, isWorthless) = try await self.database.read { [bootstrap, defaultTenant] transaction in
            let policy = try TokenPolicyStore.find(defaultTenant, transaction)
            let hasAdministrator = try TokenStore.hasAdministrator(defaultTenant, at: now, transaction)
            return (
                try bootstrap.matches(presented, transaction),
                policy?.allowsBootstrapIssuance == false && hasAdministrator
            )
        }
        guard isRight, !isWorthless else { throw Self.notAllowed }
        return IssuingAuthority(bootstrap: caller)
    }

    package static let notAllowed = Refusal(
        .forbidden, "Issuing a token needs an administrator's bearer or the bootstrap token.")

    /// - Throws: `bad_request` for a lifetime out of bounds, or where there is no scope to give.
    package func issue(
        _ draft: TokenDraft, by authority: IssuingAuthority, commit: Commit<IssuedToken>
    ) async throws -> IssuedToken {
        let issuance = Issuance(draft)
        return try await commit { [self, now = self.clock.now()] transaction in
            try self.issue(issuance, by: authority.caller, at: now, transaction)
        }
    }

    /// The same, in a transaction that does more.
    func issue(
        _ issuance: Issuance, by caller: Caller, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> IssuedToken {
        let draft = issuance.draft
        let cap =
            try TokenPolicyStore.find(caller.tenant, transaction)?.capped(at: self.maxTTLMinutes).maxTTLMinutes
            ?? self.maxTTLMinutes
        guard (5...cap).contains(draft.ttlMinutes) else {
            throw Refusal.badRequest("ttlMinutes must be 5 to \(cap).")
        }
        var scopes = draft.scopes
        if scopes.isEmpty {
            scopes = try BindingStore.scopes(of: draft.subject, in: caller.tenant, transaction)
            let roles = try BindingStore.tenantRoles(of: draft.subject, in: caller.tenant, transaction)
            guard !scopes.isEmpty || !roles.isEmpty else {
                throw Refusal.badRequest("scopes is required: '\(draft.subject)' has no roles to derive them from.")
            }
        }
        var unique: [Scope] = []
        for scope in scopes where !unique.contains(scope) { unique.append(scope) }
        let issued = IssuedToken(
            id: issuance.id, token: issuance.token, subject: draft.subject, scopes: unique,
            expiresAt: now + Int64(draft.ttlMinutes) * 60,
            warnings: try Self.warnings(on: unique, in: caller.tenant, transaction))
        try TokenStore.insert(
            issued.id, tenant: caller.tenant, subject: issued.subject, hash: issuance.hash, scopes: unique,
            expiresAt: issued.expiresAt, createdBy: caller.subject, at: now, transaction)
        try AuditLog.append(
            AuditEntry(
                "auth.pat.issued", on: "token", issued.id,
                [
                    "subject": issued.subject.text, "ttlMinutes": String(draft.ttlMinutes),
                    "policyMaxTtlMinutes": String(cap),
                ]), by: caller, at: now, transaction)
        return issued
    }

    /// Scopes on repositories that do not exist: allowed, since the repository may be created later.
    private static func warnings(
        on scopes: [Scope], in tenant: TenantID, _ transaction: borrowing Transaction
    ) throws -> [String] {
        let existing = try RepositoryStore.existing(scopes.compactMap(\.repo), of: tenant, transaction)
        return scopes.compactMap { scope in
            guard let repo = scope.repo, !existing.contains(repo) else { return nil }
            return "Repository '\(repo)' does not exist: the scope '\(scope)' has no effect until it is created."
        }
    }

    /// - Throws: `not_found` for a token that is unknown, another tenant's, or revoked already.
    package func revoke(_ id: TokenID, under grant: TenantGrant, commit: Commit<TokenID>) async throws -> TokenID {
        try await commit { [now = self.clock.now()] transaction in
            transaction.allowReserve()
            let revoked = try TokenStore.revoke(
                id, of: grant.tenant, reason: "manual_revocation", by: grant.caller.subject, at: now, transaction)
            guard revoked else { throw Refusal.notFound("The token") }
            try AuditLog.append(
                AuditEntry("auth.pat.revoked", on: "token", id), by: grant.caller, at: now, transaction)
            return id
        }
    }

    /// Revokes every token of a subject.
    ///
    /// - Returns: their ids.
    package func revokeAll(
        of subject: Subject, under grant: TenantGrant, commit: Commit<[TokenID]>
    ) async throws -> [TokenID] {
        try await commit { [now = self.clock.now()] transaction in
            transaction.allowReserve()
            let ids = try TokenStore.revokeAll(
                of: grant.tenant, subject: subject, reason: "subject_revocation", by: grant.caller.subject, at: now,
                transaction)
            try AuditLog.append(
                AuditEntry(
                    "auth.pat.revoked_subject", on: "token", subject, ["revokedCount": String(ids.count)]),
                by: grant.caller, at: now, transaction)
            return ids
        }
    }

    /// Revokes every token of the tenant, the caller's own too.
    ///
    /// - Returns: their ids.
    package func revokeAll(under grant: TenantGrant, commit: Commit<[TokenID]>) async throws -> [TokenID] {
        try await commit { [now = self.clock.now()] transaction in
            transaction.allowReserve()
            let ids = try TokenStore.revokeAll(
                of: grant.tenant, reason: "tenant_wide_revocation", by: grant.caller.subject, at: now, transaction)
            try AuditLog.append(
                AuditEntry(
                    "auth.pat.revoked_all", on: "token", grant.tenant, ["revokedCount": String(ids.count)]),
                by: grant.caller, at: now, transaction)
            return ids
        }
    }

    package func list(under grant: TenantGrant) async throws -> [StoredToken] {
        try await self.database.lookup { try TokenStore.list(grant.tenant, $0) }
    }
}
