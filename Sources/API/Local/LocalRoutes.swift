// What the administrator of the machine itself may do, over the socket in the data directory: tenants, their tokens, the
// bootstrap token. No other process can reach these routes: the socket lets in the server's own user and root only. Rules:
// HTTP contract, section 9, rows 34 and 35.

import Domain
import HTTP
package import Identity
import Persistence

package struct LocalRoutes: Sendable {
    private let tenants: Tenants
    private let tokens: Tokens
    private let bootstrap: BootstrapTokens
    /// In minutes: of a token for which none is asked.
    private let standardTTL: Int

    package init(tenants: Tenants, tokens: Tokens, bootstrap: BootstrapTokens, standardTTL: Int) {
        self.tenants = tenants
        self.tokens = tokens
        self.bootstrap = bootstrap
        self.standardTTL = standardTTL
    }

    package var routes: [Route] {
        let rule = "the machine's administrator"
        return [
            .own("GET", "/local/v1/tenants", rule) { _, _ in
                .json(200, .array(try await self.tenants.list().map(\.json)))
            },
            .own("POST", "/local/v1/tenants", rule) { call, _ in try await self.found(call) },
            .own("POST", "/local/v1/tenants/{slug}/disable", rule) { call, _ in
                try await self.setDisabled(true, call)
            },
            .own("POST", "/local/v1/tenants/{slug}/enable", rule) { call, _ in
                try await self.setDisabled(false, call)
            },
            .own("GET", "/local/v1/tenants/{slug}/tokens", rule) { call, _ in
                .json(200, .array(try await self.tokens.list(under: self.grant(call)).map(\.json)))
            },
            .own("POST", "/local/v1/tenants/{slug}/tokens", rule) { call, _ in try await self.issue(call) },
            .own("POST", "/local/v1/tenants/{slug}/tokens/{tokenId}/revoke", rule) { call, _ in
                try await self.revoke(call)
            },
            .own("POST", "/local/v1/bootstrap/rotate", rule) { call, _ in
                try await call.commit { commit in
                    try await self.bootstrap.rotate(correlation: call.correlation, commit: commit)
                } answer: { token in
                    .json(200, ["token": .string(token)])
                }
            },
            .own("POST", "/local/v1/bootstrap/disable", rule) { call, _ in
                try await call.commit { commit in
                    try await self.bootstrap.disable(correlation: call.correlation, commit: commit)
                } answer: {
                    .json(200, ["status": "disabled"])
                }
            },
        ]
    }

    private func grant(_ call: Call) async throws -> TenantGrant {
        let tenant = try await self.tenants.find(try TenantSlug(parsing: call.values["slug"] ?? ""))
        return try Caller.local(in: tenant.id, correlation: call.correlation).tenantGrant(TenantRole.admin)
    }

    private func found(_ call: Call) async throws -> Response {
        let fields = try await call.fields()
        let slug = try TenantSlug(parsing: try fields.requiredText("slug"))
        let name = try fields.trimmedLine("name") ?? slug.text
        let subject = try Subject(parsing: try fields.trimmedText("subject") ?? "admin")
        let minutes = try fields.optionalInteger("ttlMinutes").map { Int(clamping: $0) } ?? self.standardTTL
        return try await call.commit { commit in
            try await self.tenants.found(
                slug, name: name, administrator: subject, ttlMinutes: minutes, correlation: call.correlation,
                commit: commit)
        } answer: { founded in
            .json(201, .object((founded.tenant.json.members ?? []) + [JSON.Member("token", founded.token.json)]))
        }
    }

    private func setDisabled(_ isDisabled: Bool, _ call: Call) async throws -> Response {
        let slug = try TenantSlug(parsing: call.values["slug"] ?? "")
        return try await call.commit { commit in
            try await self.tenants.setDisabled(isDisabled, slug, correlation: call.correlation, commit: commit)
        } answer: { tenant in
            .json(200, tenant.json)
        }
    }

    private func issue(_ call: Call) async throws -> Response {
        let authority = IssuingAuthority(try await self.grant(call))
        let draft = try TokenDraft(await call.fields(), standardTTL: self.standardTTL)
        return try await call.commit { commit in
            try await self.tokens.issue(draft, by: authority, commit: commit)
        } answer: { issued in
            .json(200, issued.json)
        }
    }

    private func revoke(_ call: Call) async throws -> Response {
        let id = try call.id("tokenId", of: AccessToken.self)
        let grant = try await self.grant(call)
        return try await call.commit { commit in
            try await self.tokens.revoke(id, under: grant, commit: commit)
        } answer: { id in
            .json(200, ["tokenId": JSON(id), "status": "revoked"])
        }
    }
}

extension Tenant {
    fileprivate var json: JSON {
        [
            "tenantId": JSON(self.id), "slug": .string(self.slug.text), "name": .string(self.name),
            "createdAtUtc": JSON(self.createdAt), "disabledAtUtc": JSON(self.disabledAt),
        ]
    }
}
