// A tenant's tokens as its administrator sees them: policy, inventory, revocation in bulk. Shapes: HTTP contract, 7.2.

package import Domain
import HTTP
package import Identity
package import Persistence

package struct TokenAdministrationRoutes: Sendable {
    private let tokens: Tokens
    private let policies: TokenPolicies

    package init(tokens: Tokens, policies: TokenPolicies) {
        self.tokens = tokens
        self.policies = policies
    }

    package var routes: [Route] {
        let policy = "/v1/admin/auth/pat-policy"
        return [
            .tenant("GET", policy, .admin) { _, grant in .json(200, try await self.policies.show(under: grant).json) },
            .tenant("PUT", policy, .admin) { call, grant in try await self.setPolicy(call, grant) },
            .tenant("GET", "/v1/admin/auth/pats", .admin) { _, grant in
                .json(200, .array(try await self.tokens.list(under: grant).map(\.json)))
            },
            .tenant("POST", "/v1/admin/auth/pats/revoke-subject", .admin) { call, grant in
                try await self.revokeSubject(call, grant)
            },
            .tenant("POST", "/v1/admin/auth/pats/revoke-all", .admin) { call, grant in
                try await call.commit {
                    try await self.tokens.revokeAll(under: grant, commit: $0)
                } answer: { ids in
                    .json(200, ["revokedCount": JSON(ids.count), "tokenIds": JSON(ids.map(\.description))])
                }
            },
        ]
    }

    private func setPolicy(_ call: Call, _ grant: TenantGrant) async throws -> Response {
        let fields = try await call.fields()
        let minutes = try fields.integer("maxTtlMinutes")
        let allows = try fields.bool("allowBootstrapIssuance")
        return try await call.commit { commit in
            try await self.policies.set(
                maxTTLMinutes: minutes, allowsBootstrapIssuance: allows, under: grant, commit: commit)
        } answer: { policy in
            .json(200, policy.json)
        }
    }

    private func revokeSubject(_ call: Call, _ grant: TenantGrant) async throws -> Response {
        let subject = try Subject(parsing: try await call.fields().requiredText("subject"))
        return try await call.commit { commit in
            try await self.tokens.revokeAll(of: subject, under: grant, commit: commit)
        } answer: { ids in
            .json(
                200,
                [
                    "subject": .string(subject.text), "revokedCount": JSON(ids.count),
                    "tokenIds": JSON(ids.map(\.description)),
                ])
        }
    }
}

extension TokenPolicy {
    fileprivate var json: JSON {
        [
            "maxTtlMinutes": JSON(self.maxTTLMinutes), "allowBootstrapIssuance": .bool(self.allowsBootstrapIssuance),
            "updatedBySubject": .string(self.updatedBy), "updatedAtUtc": JSON(self.updatedAt),
        ]
    }
}

extension StoredToken {
    package var json: JSON {
        [
            "tokenId": JSON(self.id), "subject": .string(self.subject.text), "scopes": JSON(self.scopes),
            "expiresAtUtc": JSON(self.expiresAt), "revokedAtUtc": JSON(self.revokedAt),
            "createdBySubject": .string(self.createdBy), "createdAtUtc": JSON(self.createdAt),
            "lastUsedAtUtc": JSON(self.lastUsedAt), "lastUsedAuthSource": JSON(self.lastUsedSource),
        ]
    }
}
