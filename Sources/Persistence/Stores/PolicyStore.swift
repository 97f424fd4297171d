// The policies of repositories. Rules: docs/policy.md.

package import Domain

package struct StoredPolicy: Hashable, Sendable {
    /// As they are stored: another version of the program may have rules that this one cannot read.
    package let rules: JSON
    /// Grows with each change: the policy's entity tag. Zero where there never was one.
    package let revision: Int
    package let updatedBy: String?
    package let updatedAt: Timestamp?

    package init(rules: JSON, revision: Int, updatedBy: String?, updatedAt: Timestamp?) {
        self.rules = rules
        self.revision = revision
        self.updatedBy = updatedBy
        self.updatedAt = updatedAt
    }

    package static let none = StoredPolicy(rules: [], revision: 0, updatedBy: nil, updatedAt: nil)
}

package enum PolicyStore {
    package static func policy(
        of repository: RepoID, _ transaction: borrowing Transaction
    ) throws -> StoredPolicy {
        let policy = try transaction.first(
            """
            SELECT rules, revision, updated_by_subject, updated_at FROM repo_policies WHERE repo_id = \(repository)
            """
        ) { row in
            StoredPolicy(rules: try row[0], revision: try row[1], updatedBy: try row[2], updatedAt: try row[3])
        }
        return policy ?? .none
    }

    /// - Precondition: the repository's row is locked `FOR UPDATE`.
    package static func put(
        _ rules: PolicyRules, of repository: RepoID, revision: Int, by subject: Subject, at now: Timestamp,
        _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO repo_policies (repo_id, rules, revision, updated_by_subject, updated_at)
            VALUES (\(repository), \(rules.json), \(revision), \(subject), \(now))
            ON CONFLICT (repo_id) DO UPDATE SET rules = excluded.rules, revision = excluded.revision,
                updated_by_subject = excluded.updated_by_subject, updated_at = excluded.updated_at
            """)
        try self.supersede(repository, transaction)
    }

    /// Invalidates earlier verdicts: a publish under one of them is evaluated again.
    ///
    /// - Precondition: the repository's row is locked `FOR UPDATE`, so that who publishes waits, or is waited for.
    package static func supersede(_ repository: RepoID, _ transaction: borrowing Transaction) throws {
        try transaction.execute(
            "UPDATE repos SET policy_generation = policy_generation + 1 WHERE repo_id = \(repository)")
    }
}
