// A repository's policy, beside the installation's. Beyond the contract's routes; rules: docs/policy.md.

import Domain
import HTTP
import Persistence
package import Registry

package struct PolicyRoutes: Sendable {
    private let policies: RepositoryPolicies

    package init(policies: RepositoryPolicies) { self.policies = policies }

    package var routes: [Route] {
        let path = "/v1/repos/{repoKey}/policy"
        return [
            .repository("GET", path, .read) { _, grant in
                self.shown(try await self.policies.find(under: grant), of: grant.repo)
            },
            .repository("PUT", path, .admin) { call, grant in try await self.replace(call, grant) },
        ]
    }

    private func replace(_ call: Call, _ grant: Grant) async throws -> Response {
        guard let document = try await call.fields().value("rules") else {
            throw Refusal.badRequest("rules is required; an empty list takes all rules away.")
        }
        let rules = try PolicyRules(layingDown: document)
        let wanted = call.request.headers["if-match"]
        return try await call.commit { commit in
            try await self.policies.replace(
                with: rules, if: { policy in wanted.map { policy.entityTag.isNamed(byIfMatch: $0) } ?? true },
                under: grant, commit: commit)
        } answer: {
            self.shown($0, of: grant.repo)
        }
    }

    private func shown(_ policy: StoredPolicy, of repo: RepoKey) -> Response {
        var response = Response.json(
            200,
            [
                "repoKey": .string(repo.text), "rules": policy.rules,
                "installationRules": self.policies.installation(in: repo).json, "revision": JSON(policy.revision),
                "updatedBySubject": JSON(policy.updatedBy), "updatedAtUtc": JSON(policy.updatedAt),
            ])
        response.headers.set("ETag", policy.entityTag.description)
        return response
    }
}

extension StoredPolicy {
    fileprivate var entityTag: EntityTag { EntityTag(String(self.revision)) }
}
