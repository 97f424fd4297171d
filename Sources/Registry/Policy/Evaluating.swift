// Evaluations on request: what the rules say now, with a hint that can only make it stricter; stored
// until a publish uses it. Rules: HTTP contract, 3.6 and section 9, row 5.

package import Domain
package import Persistence
import Policy
package import Threads

/// What is asked for.
package struct EvaluationRequest: Hashable, Sendable {
    package let action: PolicyAction
    package let version: VersionID
    package let hint: PolicyDecision?
    package let reason: String
    package let engineVersion: String?

    package init(
        action: PolicyAction, version: VersionID, hint: PolicyDecision?, reason: String, engineVersion: String?
    ) {
        self.action = action
        self.version = version
        self.hint = hint
        self.reason = reason
        self.engineVersion = engineVersion
    }
}

/// What came of it.
package struct MadeEvaluation: Hashable, Sendable {
    package let id: Int64
    package let evaluation: PolicyEvaluation
    package let version: VersionID
    package let quarantine: QuarantineID?
    package let evaluatedAt: Timestamp
}

package struct Evaluating: Sendable {
    /// How often the content may change between judgment and record.
    private static let tries = 3
    /// An engine version that asks for a time-out, where the settings let it.
    private static let drill = "simulate_timeout"

    private let judge: PolicyJudge
    private let allowsDrills: Bool
    private let database: any Database
    private let clock: WallClock

    package init(judge: PolicyJudge, allowsDrills: Bool, database: any Database, clock: WallClock) {
        self.judge = judge
        self.allowsDrills = allowsDrills
        self.database = database
        self.clock = clock
    }

    /// Judges a version of any state and keeps the evaluation. One that quarantines hides the version at once.
    ///
    /// - Throws: `not_found`; `policy_timeout`; `conflict` where the content keeps changing.
    package func evaluate(
        _ request: EvaluationRequest, under grant: Grant, commit: Commit<MadeEvaluation>
    ) async throws -> MadeEvaluation {
        if self.allowsDrills, request.engineVersion?.lowercased() == Self.drill {
            try await self.judge.simulateTimeout(request.action, of: request.version, under: grant)
        }
        for _ in 0..<Self.tries {
            let found = try await self.database.lookup {
                try PolicyEvaluationStore.circumstances(
                    of: request.version, in: grant.repo, of: grant.tenant, for: request.action, $0)
            }
            guard let (version, policy, _, _) = found else { throw Refusal.notFound("The package version") }
            let trace = try await self.judge.trace(
                on: PolicyQuestion(
                    action: request.action, repo: grant.repo, source: nil, coordinate: version.coordinate,
                    content: .stored(version.id),
                    policies: [.init(.repository, policy, for: request.action, grant.repo)], trust: nil,
                    caller: grant.caller))
            do {
                return try await commit { [now = self.clock.now()] transaction in
                    try Self.keep(
                        request, trace, judgedAt: version.contentRevision, under: grant, at: now, transaction)
                }
            } catch is ContentChanged {
                continue
            }
        }
        throw Refusal.conflict("The version's content was changed while it was being evaluated. Try again.")
    }

    private static func keep(
        _ request: EvaluationRequest, _ trace: PolicyTrace?, judgedAt revision: Int, under grant: Grant,
        at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> MadeEvaluation {
        let version = try VersionStore.require(
            request.version, in: grant.repo, of: grant.tenant, locked: true, transaction)
        guard version.contentRevision == revision else { throw ContentChanged() }
        let ruled = trace?.decision ?? .allow
        let decision = max(request.hint ?? .allow, ruled)
        let source =
            if let hint = request.hint, hint >= ruled { "hint_\(hint.rawValue)" } else {
                ruled == .allow ? "default_allow" : "rules_\(ruled.rawValue)"
            }
        let details =
            [JSON.Member("decisionSource", .string(source)), .init("versionState", .string(version.state.rawValue))]
            + (trace?.details(of: version.coordinate) ?? version.coordinate.details)
        let evaluation = PolicyEvaluation(
            action: request.action, decision: decision, source: source, reason: request.reason,
            engineVersion: request.engineVersion, details: .object(details), contentRevision: revision)
        let id = try PolicyEvaluationStore.append(
            evaluation, of: version.id, in: version.repository, isSpent: false, by: grant.caller.subject, at: now,
            transaction)
        // An explicit request counts even if the rules are stricter: a denial does not stop what is published already.
        var quarantine: (id: QuarantineID, reason: String)?
        if decision == .quarantine || request.hint == .quarantine {
            let reason = request.hint == .quarantine ? request.reason : trace?.reason ?? request.reason
            quarantine = (try QuarantineStore.quarantine(version, reason: reason, at: now, transaction), reason)
        }
        let made = MadeEvaluation(
            id: id, evaluation: evaluation, version: version.id, quarantine: quarantine?.id, evaluatedAt: now)
        try Self.announce(made, hiddenFor: quarantine?.reason, of: version, under: grant, transaction)
        return made
    }

    /// - Parameter quarantineReason: nil where it hides nothing.
    private static func announce(
        _ made: MadeEvaluation, hiddenFor quarantineReason: String?, of version: PackageVersion, under grant: Grant,
        _ transaction: borrowing Transaction
    ) throws {
        var details: [JSON.Member] = [
            .init("repoKey", .string(grant.repo.text)), .init("versionId", JSON(version.id)),
            .init("action", .string(made.evaluation.action.rawValue)),
            .init("decision", .string(made.evaluation.decision.rawValue)),
            .init("decisionSource", .string(made.evaluation.source)),
        ]
        if let engine = made.evaluation.engineVersion { details.append(.init("policyEngineVersion", .string(engine))) }
        if let id = made.quarantine { details.append(.init("quarantineId", JSON(id))) }
        try AuditLog.append(
            AuditEntry("policy.evaluated", on: "policy_evaluation", made.id, details), by: grant.caller,
            at: made.evaluatedAt, transaction)
        // Of what readers never saw they are not told either.
        guard let quarantineReason, version.state == .published else { return }
        let event = Announcement(of: version).event(
            .versionQuarantined, id: UniqueID(at: made.evaluatedAt),
            [.init("reason", .string(quarantineReason))], at: made.evaluatedAt)
        try transaction.execute(each: event) { $0 }
        transaction.notify(EventLog.channel)
    }

    /// Takes back an evaluation that waits to be used.
    ///
    /// - Throws: `not_found` for the repository or the evaluation; `conflict` where it does not wait.
    package func withdraw(
        _ id: Int64, under grant: Grant, commit: Commit<StoredEvaluation>
    ) async throws -> StoredEvaluation {
        try await commit { [now = self.clock.now()] transaction in
            let repository = try RepositoryStore.require(grant.repo, of: grant.tenant, transaction)
            let isWithdrawn = try PolicyEvaluationStore.consume(id, in: repository.id, at: now, transaction)
            guard let found = try PolicyEvaluationStore.find(id, in: repository.id, transaction) else {
                throw Refusal.notFound("The policy evaluation")
            }
            guard isWithdrawn else { throw Refusal.conflict("The evaluation was used, or taken back, before.") }
            try AuditLog.append(
                AuditEntry(
                    "policy.evaluation.withdrawn", on: "policy_evaluation", id,
                    [
                        "repoKey": grant.repo.text, "versionId": found.version?.description ?? "",
                        "action": found.evaluation.action.rawValue, "decision": found.evaluation.decision.rawValue,
                    ]), by: grant.caller, at: now, transaction)
            return found
        }
    }

    // MARK: - Reading

    /// The newest first.
    ///
    /// - Throws: `not_found` for the repository.
    package func list(
        _ filter: PolicyEvaluationStore.Filter, limit: Int, under grant: Grant
    ) async throws -> Page<StoredEvaluation, Int64> {
        try await self.database.read { transaction in
            let repository = try RepositoryStore.require(grant.repo, of: grant.tenant, transaction)
            return try PolicyEvaluationStore.page(filter, of: repository.id, limit: limit, transaction)
        }
    }

    /// - Throws: `not_found` for the repository or the evaluation.
    package func find(_ id: Int64, under grant: Grant) async throws -> StoredEvaluation {
        try await self.database.read { transaction in
            let repository = try RepositoryStore.require(grant.repo, of: grant.tenant, transaction)
            guard let found = try PolicyEvaluationStore.find(id, in: repository.id, transaction) else {
                throw Refusal.notFound("The policy evaluation")
            }
            return found
        }
    }
}
