// A caller of every kind, with repositories to call for.

import Domain
import Identity
import Persistence
import Registry
import Testing
import Threads

@testable import artifortress

enum RouteCaller: String, CaseIterable {
    /// Without a token; for `open` the request is for a repository that everyone may read.
    case none, open
    /// A token that never was one, has expired, was revoked, or is of a tenant that is disabled.
    case junk, late, gone, dead
    /// Another tenant's administrator.
    case far
    /// With one role on the repository `alpha`.
    case read, writ, prom, admi
    /// `repo:*:admin`.
    case all
    /// With one tenant role, and none on a repository.
    case tadm, taud, tope

    /// What the request is for.
    var repository: String { self == .open ? "open" : "alpha" }
}

struct RouteTokens {
    private var tokens: [RouteCaller: String] = [.junk: "junk"]

    subscript(caller: RouteCaller) -> String? { self.tokens[caller] }

    /// Fresh ones, straight into the database.
    init(in server: Installation) async throws {
        let home = server.deployment.defaultTenant
        let far = try await Self.tenant("other", in: server)
        let dead = try await Self.tenant("disabled", in: server)
        let now = server.serving.clock.now()
        let (admin, alpha) = (Scope(.admin, on: nil), try RepoKey(parsing: "alpha"))
        let rows: [(caller: RouteCaller, tenant: TenantID, scopes: [Scope])] = [
            (.late, home, [admin]), (.gone, home, [admin]), (.dead, dead, [admin]), (.far, far, [admin]),
            (.read, home, [Scope(.read, on: alpha)]), (.writ, home, [Scope(.write, on: alpha)]),
            (.prom, home, [Scope(.promote, on: alpha)]), (.admi, home, [Scope(.admin, on: alpha)]),
            (.all, home, [admin]), (.tadm, home, []), (.taud, home, []), (.tope, home, []),
        ]
        for row in rows { self.tokens[row.caller] = TokenText.fresh() }
        try await server.database.transaction { [tokens] transaction in
            for row in rows {
                let (id, subject) = (TokenID(.random()), try Subject(parsing: row.caller.rawValue))
                try TokenStore.insert(
                    id, tenant: row.tenant, subject: subject, hash: Credential.hash(of: tokens[row.caller] ?? ""),
                    scopes: row.scopes, expiresAt: now + (row.caller == .late ? -1 : 3600), createdBy: subject, at: now,
                    transaction)
                if row.caller == .gone {
                    _ = try TokenStore.revoke(id, of: row.tenant, reason: "test", by: subject, at: now, transaction)
                }
            }
            for (caller, role) in [(RouteCaller.tadm, TenantRole.admin), (.taud, .auditor), (.tope, .operator)] {
                let subject = try Subject(parsing: caller.rawValue)
                try BindingStore.bind(
                    RoleBinding(subject: subject, roles: [role], updatedAt: now), on: home, by: subject, transaction)
            }
            try transaction.execute("UPDATE tenants SET disabled_at = \(now) WHERE tenant_id = \(dead)")
        }
    }

    private static func tenant(_ slug: String, in server: Installation) async throws -> TenantID {
        let now = server.serving.clock.now()
        return try await server.database.transaction { transaction in
            let slug = try TenantSlug(parsing: slug)
            if let known = try TenantStore.find(slug, transaction) { return known.id }
            let tenant = Tenant(id: TenantID(at: now), slug: slug, name: slug.text, createdAt: now)
            _ = try TenantStore.insert(tenant, transaction)
            return tenant.id
        }
    }
}
