// Tokens: who am I, issue, revoke. Shapes: HTTP contract, 3.2 and section 9, rows 2 to 4.

import Domain
import HTTP
package import Identity
package import Persistence
import Registry

package struct TokenRoutes: Sendable {
    private let tokens: Tokens
    private let database: any Database

    package init(tokens: Tokens, database: any Database) { (self.tokens, self.database) = (tokens, database) }

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
        let fields = try await call.fields()
        var scopes: [Scope] = []
        for text in try fields.texts("scopes") ?? [] { scopes.append(try Scope(parsing: text)) }
        let draft = TokenDraft(
            subject: try Subject(parsing: fields.requiredText("subject")),
            ttlMinutes: Int(clamping: try fields.integer("ttlMinutes")), scopes: scopes)
        let issued = try await self.tokens.issue(draft, by: authority, commit: Commit(self.database))
        return .json(
            200,
            [
                "tokenId": JSON(issued.id), "token": .string(issued.token), "subject": .string(issued.subject.text),
                "scopes": JSON(issued.scopes.map(\.description)), "expiresAtUtc": JSON(issued.expiresAt),
            ])
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
        return try await self.tokens.bootstrapAuthority(presented, correlation: call.correlation)
    }

    private func revoke(_ call: Call, _ grant: TenantGrant) async throws -> Response {
        let id = TokenID(try await call.fields().id("tokenId"))
        _ = try await self.tokens.revoke(id, under: grant, commit: Commit(self.database))
        return .json(200, ["tokenId": JSON(id), "status": "revoked"])
    }
}
