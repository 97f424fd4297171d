// The keys whose signatures a repository trusts. Beyond the contract's routes.

import Domain
import HTTP
import Persistence
package import Registry

package struct TrustedKeyRoutes: Sendable {
    private let keys: TrustedKeys

    package init(keys: TrustedKeys) { self.keys = keys }

    package var routes: [Route] {
        let all = "/v1/repos/{repoKey}/trusted-keys"
        return [
            .repository("GET", all, .admin) { call, grant in
                let keys = try await self.keys.list(under: grant)
                return .json(
                    200, ["repoKey": .string(grant.repo.text), "items": .array(keys.map { $0.json(in: grant.repo) })])
            },
            .repository("POST", all, .admin) { call, grant in try await self.add(call, grant) },
            .repository("DELETE", "\(all)/{keyId}", .admin) { call, grant in try await self.remove(call, grant) },
        ]
    }

    private func add(_ call: Call, _ grant: Grant) async throws -> Response {
        let fields = try await call.fields()
        guard let name = try fields.trimmedLine("name") else { throw Refusal.badRequest("name is required.") }
        let pem = try fields.requiredText("publicKey")
        return try await call.commit { commit in
            try await self.keys.add(pem, name: name, under: grant, commit: commit)
        } answer: { added in
            let body = added.key.json(in: grant.repo)
            if added.isRepeated { return .json(200, body) }
            return call.created(at: "/v1/repos/\(grant.repo)/trusted-keys/\(added.key.id)", body)
        }
    }

    private func remove(_ call: Call, _ grant: Grant) async throws -> Response {
        let id = try call.id("keyId", of: TrustedKey.self)
        return try await call.commit { commit in
            try await self.keys.remove(id, under: grant, commit: commit)
        } answer: { key in
            .json(200, ["repoKey": .string(grant.repo.text), "keyId": JSON(key.id), "removed": true])
        }
    }
}

extension StoredKey {
    fileprivate func json(in repo: RepoKey) -> JSON {
        [
            "keyId": JSON(self.id), "repoKey": .string(repo.text), "name": .string(self.name),
            "algorithm": .string(self.algorithm), "fingerprint": .string(self.fingerprint),
            "publicKey": .string(self.pem), "addedAtUtc": JSON(self.addedAt),
            "addedBySubject": .string(self.addedBy),
        ]
    }
}
