// The one place where authority is decided. Deny by default. Rules: HTTP contract, 2.1, 7.1 and section 9, row 25.

package enum AccessToken {}
package typealias TokenID = Identifier<AccessToken>

/// How a caller was recognized.
package enum AuthSource: String, Sendable {
    case pat, oidc
    /// On the machine itself, over the data directory's socket or by the command line.
    case local
    /// Without a credential: allowed if a repository is readable by everyone.
    case anonymous
}

/// The caller of a request, with all its roles.
package struct Caller: Hashable, Sendable {
    package let tenant: TenantID
    package let subject: Subject
    package let scopes: [Scope]
    package let tenantRoles: [TenantRole]
    package let source: AuthSource
    /// Nil where no stored token was presented.
    package let token: TokenID?
    /// Ties together what one request did, in logs and audit.
    package let correlation: UniqueID

    package init(
        tenant: TenantID, subject: Subject, scopes: [Scope], tenantRoles: [TenantRole] = [], source: AuthSource,
        token: TokenID? = nil, correlation: UniqueID
    ) {
        self.tenant = tenant
        self.subject = subject
        self.scopes = scopes
        self.tenantRoles = tenantRoles
        self.source = source
        self.token = token
        self.correlation = correlation
    }

    package func holds(_ role: Role, on repo: RepoKey) -> Bool {
        self.scopes.contains { ($0.repo == nil || $0.repo == repo) && $0.role.satisfies(role) }
    }

    /// Whether a scope for literally every repository gives the role.
    package func holdsEverywhere(_ role: Role) -> Bool {
        self.scopes.contains { $0.repo == nil && $0.role.satisfies(role) }
    }

    package func holds(_ role: TenantRole) -> Bool {
        self.holdsEverywhere(.admin) || self.tenantRoles.contains { $0.satisfies(role) }
    }

    /// Leave to use one repository in one role.
    ///
    /// - Throws: `forbidden`.
    package func grant(_ role: Role, on repo: RepoKey) throws(Refusal) -> Grant {
        guard self.holds(role, on: repo) else {
            throw Refusal(.forbidden, "The role '\(role.rawValue)' on repository '\(repo)' is needed.")
        }
        return Grant(self, repo, role)
    }

    /// Authorization to read, also if the repository is readable by everyone.
    package func readGrant(on repo: RepoKey, anonymousRead: Bool) throws(Refusal) -> Grant {
        if anonymousRead { return Grant(self, repo, .read) }
        return try self.grant(.read, on: repo)
    }

    /// Leave to act on the whole tenant by a scope `repo:*:ROLE`.
    ///
    /// - Throws: `forbidden`.
    package func tenantGrant(_ role: Role) throws(Refusal) -> TenantGrant {
        guard self.holdsEverywhere(role) else {
            throw Refusal(.forbidden, "The scope 'repo:*:\(role.rawValue)' is needed.")
        }
        return TenantGrant(self)
    }

    /// Leave to act on the whole tenant by a tenant role.
    ///
    /// - Throws: `forbidden`.
    package func tenantGrant(_ role: TenantRole) throws(Refusal) -> TenantGrant {
        guard self.holds(role) else {
            throw Refusal(.forbidden, "The scope 'repo:*:admin' or the tenant role '\(role.rawValue)' is needed.")
        }
        return TenantGrant(self)
    }
}

/// Leave to act on one repository. Only ``Caller`` makes one, so a function that takes a grant cannot be called
/// unauthorized.
package struct Grant: Hashable, Sendable {
    package let caller: Caller
    package let repo: RepoKey
    package let role: Role

    fileprivate init(_ caller: Caller, _ repo: RepoKey, _ role: Role) {
        self.caller = caller
        self.repo = repo
        self.role = role
    }

    package var tenant: TenantID { self.caller.tenant }
}

/// Leave to act on a tenant. Only ``Caller`` makes one.
package struct TenantGrant: Hashable, Sendable {
    package let caller: Caller

    fileprivate init(_ caller: Caller) { self.caller = caller }

    package var tenant: TenantID { self.caller.tenant }
}

extension Caller {
    /// The administrator at the machine itself, acting in a tenant.
    package static func local(in tenant: TenantID, correlation: UniqueID) -> Caller {
        Caller(
            tenant: tenant, subject: .local, scopes: [Scope(.admin, on: nil)], source: .local, correlation: correlation)
    }

    /// A caller without a credential.
    package static func anonymous(in tenant: TenantID, correlation: UniqueID) -> Caller {
        Caller(tenant: tenant, subject: .anonymous, scopes: [], source: .anonymous, correlation: correlation)
    }
}

extension Refusal {
    /// Why a credential failed is never told.
    package static let unauthenticated = Refusal(
        .unauthorized, "A valid token is needed: as a bearer, or as the password of HTTP Basic.")
}
