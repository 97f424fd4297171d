// The policies of repositories. Rules: docs/policy.md.

package import Domain

package struct StoredPolicy: Hashable, Sendable {
    package let rules: PolicyRules
    /// Grows with each change: the policy's entity tag. Zero where there never was one.
    package let revision: Int
    package let updatedBy: String?
    package let updatedAt: Timestamp?

    package init(rules: PolicyRules, revision: Int, updatedBy: String?, updatedAt: Timestamp?) {
        (self.rules, self.revision, self.updatedBy, self.updatedAt) = (rules, revision, updatedBy, updatedAt)
    }

    package static let none = StoredPolicy(rules: .none, revision: 0, updatedBy: nil, updatedAt: nil)
}

package enum PolicyStore {
    /// - Parameter isLocked: whether its row is locked until the transaction ends.
    package static func policy(
        of repository: RepoID, isLocked: Bool = false, _ transaction: borrowing Transaction
    ) throws -> StoredPolicy {
        let noLock = SQLClause.either(postgreSQL: "", sqlite: "")
        let policy = try transaction.first(
            """
            SELECT rules, revision, updated_by_subject, updated_at FROM repo_policies WHERE repo_id = \(repository)
            \(isLocked ? .forUpdate : noLock)
            """
        ) { row in
            StoredPolicy(
                rules: try self.rules(try row[0]), revision: try row[1], updatedBy: try row[2], updatedAt: try row[3])
        }
        return policy ?? .none
    }

    /// - Precondition: the repository's row is locked.
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
    }

    /// Nothing is published under rules that can't be read.
    static func rules(_ document: JSON?) throws(DatabaseFault) -> PolicyRules {
        guard let document else { return .none }
        do { return try PolicyRules(parsing: document) } catch {
            throw .unreadable("policy rules: \(error.message)")
        }
    }
}
