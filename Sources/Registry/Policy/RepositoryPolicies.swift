// The policy of a repository, beside the installation's. Rules: docs/policy.md.

package import Domain
package import Persistence
package import Threads

package struct RepositoryPolicies: Sendable {
    private let installation: PolicyRules
    private let database: any Database
    private let clock: WallClock

    package init(installation: PolicyRules, database: any Database, clock: WallClock) {
        self.installation = installation
        self.database = database
        self.clock = clock
    }

    /// Those of the settings that hold in a repository; of others its readers need not know.
    package func installation(in repo: RepoKey) -> PolicyRules { self.installation.inForce(in: repo) }

    /// - Throws: `not_found` for the repository.
    package func find(under grant: Grant) async throws -> StoredPolicy {
        try await self.database.read { transaction in
            let repository = try RepositoryStore.require(grant.repo, of: grant.tenant, transaction)
            return try PolicyStore.policy(of: repository.id, transaction)
        }
    }

    /// Replaces the rules. What is published from now on is judged by them.
    ///
    /// - Parameter condition: asked of the policy as it is; a refusal where it says no.
    /// - Throws: `not_found` for the repository; `precondition_failed`.
    package func replace(
        with rules: PolicyRules, if condition: @escaping @Sendable (StoredPolicy) -> Bool, under grant: Grant,
        commit: Commit<StoredPolicy>
    ) async throws -> StoredPolicy {
        try await commit { [now = self.clock.now()] transaction in
            let repository = try RepositoryStore.require(
                grant.repo, of: grant.tenant, transaction, lock: .forUpdate)
            let present = try PolicyStore.policy(of: repository.id, transaction)
            guard condition(present) else {
                throw Refusal(
                    .preconditionFailed, "The policy was changed by another request: read it again.",
                    ["revision": JSON(present.revision)])
            }
            let policy = StoredPolicy(
                rules: rules.json, revision: present.revision + 1, updatedBy: grant.caller.subject.text, updatedAt: now)
            try PolicyStore.put(
                rules, of: repository.id, revision: policy.revision, by: grant.caller.subject, at: now, transaction)
            try AuditLog.append(
                AuditEntry(
                    "repo.policy.updated", on: "repo_policy", grant.repo,
                    [
                        "repoKey": grant.repo.text, "revision": String(policy.revision),
                        "rules": rules.json.description, "formerRules": present.rules.description,
                    ]), by: grant.caller, at: now, transaction)
            return policy
        }
    }
}
