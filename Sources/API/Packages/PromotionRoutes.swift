// Promotion of a published version into another repository. Who may: HTTP contract, section 9, row 25.

import Domain
import HTTP
import Identity
package import Registry

package struct PromotionRoutes: Sendable {
    private let promoting: Promoting

    package init(promoting: Promoting) { self.promoting = promoting }

    package var routes: [Route] {
        [
            .own(
                "POST", "/v1/repos/{repoKey}/packages/versions/{versionId}/promote",
                "read and promote on it, and promote on the target"
            ) { call, identity in
                try await self.promote(call, identity)
            }
        ]
    }

    private func promote(_ call: Call, _ identity: Authenticator) async throws -> Response {
        let (version, source) = (try call.versionID, try call.repoKey)
        let caller = try await identity.caller(for: call.credential, correlation: call.correlation)
        _ = try Promotion.leave(source, by: caller)
        // The target is in the body, and the caller must be authorized before any replay: so the body is read first.
        let (first, again) = try await call.buffered()
        let target = try await RepoKey(parsing: first.fields().requiredText("targetRepo"))
        let promotion = try Promotion(version, from: source, to: target, by: caller)
        return try await again.once(for: caller) { call in
            try await call.commit { commit in
                try await self.promoting.promote(promotion, commit: commit)
            } answer: { promoted in
                if promoted.publication.isRepeated { return .json(200, promoted.json) }
                let id = promoted.publication.version.id
                return call.created(at: "/v1/repos/\(target)/packages/versions/\(id)", promoted.json)
            }
        }
    }
}

extension PromotedVersion {
    fileprivate var json: JSON {
        .object(
            (self.publication.json.members ?? []) + [
                .init("sourceRepoKey", .string(self.source.text)), .init("sourceVersionId", JSON(self.sourceVersion)),
            ])
    }
}
