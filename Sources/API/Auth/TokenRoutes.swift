// Tokens: who am I, issue, revoke. Shapes: HTTP contract, 3.2 and section 9, rows 2 to 4.

import Domain
import HTTP
package import Identity
import Registry

package struct TokenRoutes: Sendable {
    private let tokens: Tokens

    package init(tokens: Tokens) { self.tokens = tokens }

    package var routes: [Route] {
        [
            .caller("GET", "/v1/auth/whoami") { _, caller in Self.whoami(caller) },
            .own("POST", "/v1/auth/pats", "the bootstrap token, or a tenant administrator's bearer") { call, identity in
                try await self.issue(call, identity)
            },
            .tenant("POST", "/v1/auth/pats/revoke", .admin) { call, grant in try await self.revoke(call, grant) },
        ]
    }

    private static func whoami(_ caller: Caller) -> Response {
        .json(
            200,
            [
                "subject": .string(caller.subject.text), "scopes": JSON(caller.scopes.map(\.description)),
                "authSource": .string(caller.source.rawValue),
            ])
    }

    private func issue(_ call: Call, _ authenticator: Authenticator) async throws -> Response {
        let authority = try await self.authority(call, authenticator)
        return try await call.once(for: authority.caller) { try await self.issue($0, by: authority) }
    }

    private func issue(_ call: Call, by authority: IssuingAuthority) async throws -> Response {
        let draft = try TokenDraft(await call.fields())
        return try await call.commit(keeping: .only { [JSON.Member("tokenId", JSON($0.id))] }) { commit in
            try await self.tokens.issue(draft, by: authority, commit: commit)
        } answer: { issued in
            .json(200, issued.json)
        }
    }

    /// An administrator's bearer counts first; one that fails counts as absent.
    private func authority(_ call: Call, _ authenticator: Authenticator) async throws -> IssuingAuthority {
        if call.credential != .none {
            do {
                let caller = try await authenticator.caller(for: call.credential, correlation: call.correlation)
                return IssuingAuthority(try caller.tenantGrant(TenantRole.admin))
            } catch is Refusal {
                // The bootstrap token may still do.
            }
        }
        guard let presented = call.request.headers["x-bootstrap-token"]?.trimmedOrNil else { throw Tokens.notAllowed }
        // Another space of fingerprints: a token and a bootstrap token with the same text are two credentials.
        return try await authenticator.examine(Credential(token: "bootstrap " + presented)) {
            try await self.tokens.bootstrapAuthority(presented, correlation: call.correlation)
        }
    }

    private func revoke(_ call: Call, _ grant: TenantGrant) async throws -> Response {
        let id = TokenID(try await call.fields().id("tokenId"))
        return try await call.commit { commit in
            try await self.tokens.revoke(id, under: grant, commit: commit)
        } answer: { id in
            .json(200, ["tokenId": JSON(id), "status": "revoked"])
        }
    }
}

extension TokenDraft {
    /// - Parameter standardTTL: in minutes; zero, which is out of bounds, where a lifetime has to be named.
    init(_ fields: Fields, standardTTL: Int = 0) throws(Refusal) {
        var scopes: [Scope] = []
        for text in try fields.texts("scopes") ?? [] { scopes.append(try Scope(parsing: text)) }
        self.init(
            subject: try Subject(parsing: fields.requiredText("subject")),
            ttlMinutes: try fields.optionalInteger("ttlMinutes").map { Int(clamping: $0) } ?? standardTTL,
            scopes: scopes)
    }
}

extension IssuedToken {
    var json: JSON {
        [
            "tokenId": JSON(self.id), "token": .string(self.token), "subject": .string(self.subject.text),
            "scopes": JSON(self.scopes.map(\.description)), "expiresAtUtc": JSON(self.expiresAt),
            "warnings": JSON(self.warnings),
        ]
    }
}
