// Evaluations of policies: what was asked for by hand and waits to be used, and what a publish was judged by. Rows:
// HTTP contract, 3.6 and section 9, row 5; docs/policy.md.

package import Domain

/// An evaluation that is to be kept.
package struct PolicyEvaluation: Hashable, Sendable {
    package var action: PolicyAction
    package var decision: PolicyDecision
    /// Where the decision comes from: `default_allow`, `hint_…`, `rules_…`.
    package var source: String
    package var reason: String
    package var engineVersion: String?
    package var details: JSON
    /// Of the content that was judged.
    package var contentRevision: Int?

    package init(
        action: PolicyAction, decision: PolicyDecision, source: String, reason: String, engineVersion: String? = nil,
        details: JSON, contentRevision: Int?
    ) {
        self.action = action
        self.decision = decision
        self.source = source
        self.reason = reason
        self.engineVersion = engineVersion
        self.details = details
        self.contentRevision = contentRevision
    }
}

/// One row as it is kept.
package struct StoredEvaluation: Hashable, Sendable {
    package let id: Int64
    package let evaluation: PolicyEvaluation
    /// Nil for something that never became a version.
    package let version: VersionID?
    package let evaluatedBy: String?
    package let evaluatedAt: Timestamp
    /// When it was used: it has no further effect.
    package let spentAt: Timestamp?
}

/// What waits to be used for a version's present content.
package struct PendingEvaluation: Hashable, Sendable {
    package let id: Int64
    package let decision: PolicyDecision
    package let reason: String
}

package enum PolicyEvaluationStore {
    // MARK: - What a verdict is made of

    /// The strictest evaluation that waits for the present content of the version `v`, as the column's value. What the
    /// rules said does not wait: they are asked again.
    private static func strictest(_ action: PolicyAction) -> SQL {
        """
        (SELECT e.evaluation_id FROM policy_evaluations e
            WHERE e.version_id = v.version_id AND e.action = \(action) AND e.content_revision = v.content_revision
                AND e.spent_at IS NULL AND e.decision_source NOT LIKE 'rules%'
            ORDER BY CASE e.decision WHEN 'deny' THEN 0 WHEN 'quarantine' THEN 1 ELSE 2 END, e.evaluation_id
            LIMIT 1)
        """
    }

    /// A version with its repository's policy and the strictest evaluation that waits for its present content; all of
    /// one snapshot.
    package static func circumstances(
        of version: VersionID, in key: RepoKey, of tenant: TenantID, for action: PolicyAction,
        _ transaction: borrowing Transaction
    ) throws -> (version: PackageVersion, policy: JSON, generation: Int, pending: PendingEvaluation?)? {
        try transaction.first(
            """
            SELECT \(VersionStore.columns), y.rules, r.policy_generation, s.evaluation_id, s.decision, s.reason
            FROM \(VersionStore.source) LEFT JOIN repo_policies y ON y.repo_id = r.repo_id
            LEFT JOIN policy_evaluations s ON s.evaluation_id = \(self.strictest(action))
            WHERE v.version_id = \(version) AND r.tenant_id = \(tenant) AND r.repo_key = \(key)
            """
        ) { row in
            var pending: PendingEvaluation?
            if let id = try row[25] as Int64? {
                pending = PendingEvaluation(id: id, decision: try row[26], reason: try row[27])
            }
            return (try VersionStore.version(row: row), try row[23] as JSON? ?? [], try row[24], pending)
        }
    }

    /// The policy of a repository, for something that is no version yet.
    package static func policy(
        of key: RepoKey, of tenant: TenantID, _ transaction: borrowing Transaction
    ) throws -> (id: RepoID, policy: JSON, generation: Int)? {
        try transaction.first(
            """
            SELECT r.repo_id, y.rules, r.policy_generation FROM repos r LEFT JOIN repo_policies y ON y.repo_id = r.repo_id
            WHERE r.tenant_id = \(tenant) AND r.repo_key = \(key)
            """, as: { (try $0[0], try $0[1] as JSON? ?? [], try $0[2]) })
    }

    /// What may have changed since a verdict was made.
    package struct Standing: Hashable, Sendable {
        /// Of the repository's policy.
        package let generation: Int
        /// The strictest evaluation that waits.
        package let pending: Int64?
        /// An item that hides the version.
        package let quarantine: QuarantineID?
    }

    /// Until the transaction ends, the repository's policy stays as it is.
    package static func pending(
        of version: VersionID, for action: PolicyAction, _ transaction: borrowing Transaction
    ) throws -> Standing? {
        try transaction.first(
            """
            SELECT r.policy_generation, \(self.strictest(action)), q.quarantine_id
            FROM package_versions v JOIN repos r ON r.repo_id = v.repo_id
            LEFT JOIN quarantine_items q ON q.version_id = v.version_id AND q.status <> 'released'
            WHERE v.version_id = \(version) \(.either(postgreSQL: "FOR KEY SHARE OF r", sqlite: ""))
            """, as: { Standing(generation: try $0[0], pending: try $0[1], quarantine: try $0[2]) })
    }

    // MARK: - Keeping

    /// - Parameters:
    ///   - version: nil for something that will not become a version.
    ///   - isSpent: whether it has been used already.
    /// - Returns: its number.
    package static func append(
        _ evaluation: PolicyEvaluation, of version: VersionID?, in repository: Repository, isSpent: Bool,
        by subject: Subject, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> Int64 {
        let id = try transaction.first(
            """
            INSERT INTO policy_evaluations (tenant_id, repo_id, version_id, action, decision, decision_source, reason,
                policy_engine_version, details, content_revision, evaluated_by_subject, evaluated_at, spent_at)
            VALUES (\(repository.tenant), \(repository.id), \(version), \(evaluation.action), \(evaluation.decision),
                \(evaluation.source), \(evaluation.reason), \(evaluation.engineVersion), \(evaluation.details),
                \(evaluation.contentRevision), \(subject), \(now), \(isSpent ? now : nil))
            RETURNING evaluation_id
            """, as: { try $0[0] as Int64 })
        guard let id else { throw DatabaseFault.unreadable("no policy evaluation") }
        return id
    }

    /// Those that wait for a version have been used.
    package static func consume(
        _ version: VersionID, for action: PolicyAction, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE policy_evaluations SET spent_at = \(now)
            WHERE version_id = \(version) AND action = \(action) AND spent_at IS NULL
            """)
    }

    /// One that waits has been used.
    ///
    /// - Returns: false where it does not wait.
    package static func consume(
        _ id: Int64, in repository: RepoID, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> Bool {
        try transaction.execute(
            """
            UPDATE policy_evaluations SET spent_at = \(now)
            WHERE evaluation_id = \(id) AND repo_id = \(repository) AND spent_at IS NULL
            """) > 0
    }

    /// Those that put a version in quarantine have been answered.
    package static func spendQuarantine(
        of version: VersionID, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE policy_evaluations SET spent_at = \(now)
            WHERE version_id = \(version) AND decision = 'quarantine' AND spent_at IS NULL
            """)
    }

    // MARK: - Reading

    package struct Filter: Hashable, Sendable {
        package var version: VersionID?
        package var action: PolicyAction?
        package var decision: PolicyDecision?
        /// Only older ones: where the page before ended.
        package var before: Int64?

        package init() {}

        fileprivate var condition: SQL {
            var condition: SQL = ""
            if let version = self.version { condition = "\(condition) AND version_id = \(version)" }
            if let action = self.action { condition = "\(condition) AND action = \(action)" }
            if let decision = self.decision { condition = "\(condition) AND decision = \(decision)" }
            if let before = self.before { condition = "\(condition) AND evaluation_id < \(before)" }
            return condition
        }
    }

    /// The newest first.
    package static func page(
        _ filter: Filter, of repository: RepoID, limit: Int, _ transaction: borrowing Transaction
    ) throws -> Page<StoredEvaluation, Int64> {
        let found = try transaction.all(
            """
            SELECT \(self.columns) FROM policy_evaluations WHERE repo_id = \(repository) \(filter.condition)
            ORDER BY evaluation_id DESC LIMIT \(limit)
            """, as: { try self.evaluation(row: $0) })
        return Page(items: found, next: found.count == limit ? found.last?.id : nil)
    }

    package static func find(
        _ id: Int64, in repository: RepoID, _ transaction: borrowing Transaction
    ) throws -> StoredEvaluation? {
        try transaction.first(
            "SELECT \(self.columns) FROM policy_evaluations WHERE evaluation_id = \(id) AND repo_id = \(repository)",
            as: { try self.evaluation(row: $0) })
    }

    private static let columns: SQL = """
        evaluation_id, action, decision, decision_source, reason, policy_engine_version, details, content_revision,
        version_id, evaluated_by_subject, evaluated_at, spent_at
        """

    private static func evaluation(row: borrowing Row) throws -> StoredEvaluation {
        StoredEvaluation(
            id: try row[0],
            evaluation: PolicyEvaluation(
                action: try row[1], decision: try row[2], source: try row[3], reason: try row[4],
                engineVersion: try row[5], details: try row[6], contentRevision: try row[7]),
            version: try row[8], evaluatedBy: try row[9], evaluatedAt: try row[10], spentAt: try row[11])
    }
}
