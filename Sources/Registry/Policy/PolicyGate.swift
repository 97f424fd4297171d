// The policy at the door of every publish: the strictest of the rules and of any evaluation that was asked for by hand
// and waits for the present content. Rules: HTTP contract, section 9, row 5.

package import Domain
package import Persistence
import Policy

package struct PolicyGate: PublishGate {
    private let judge: PolicyJudge
    private let database: any Database

    package init(judge: PolicyJudge, database: any Database) { (self.judge, self.database) = (judge, database) }

    package func verdict(on candidate: PublishCandidate) async throws -> PublishVerdict {
        let grant = candidate.grant
        switch candidate.content {
        case .draft(let id): return try await self.verdict(onDraft: id, under: grant)
        case .copy(let id, let source): return try await self.verdict(onCopyOf: id, from: source, under: grant)
        case .whole(let coordinate, let entries, let manifest):
            let found = try await self.database.lookup {
                try PolicyEvaluationStore.policy(of: grant.repo, of: grant.tenant, $0)
            }
            guard let (_, rules, revision) = found else { return .allowed }  // the publish finds no repository
            let question = PolicyQuestion(
                action: .publish, repo: grant.repo, source: nil, coordinate: coordinate,
                content: .given(entries, manifest: manifest),
                rules: [RuleSet(.repository, rules, for: .publish, grant.repo)], trust: nil, caller: grant.caller)
            let basis = PublishVerdict.Basis(action: .publish, revision: revision, pending: nil, source: nil)
            return try await self.verdict(on: question, pending: nil, contentRevision: nil, basis)
        }
    }

    private func verdict(onDraft id: VersionID, under grant: Grant) async throws -> PublishVerdict {
        let found = try await self.database.lookup {
            try PolicyEvaluationStore.circumstances(of: id, in: grant.repo, of: grant.tenant, for: .publish, $0)
        }
        // Where there is no draft, the publish says so itself.
        guard let (version, rules, revision, pending) = found, version.state == .draft else { return .allowed }
        let question = PolicyQuestion(
            action: .publish, repo: grant.repo, source: nil, coordinate: version.coordinate, content: .stored(id),
            rules: [RuleSet(.repository, rules, for: .publish, grant.repo)], trust: nil, caller: grant.caller)
        let basis = PublishVerdict.Basis(action: .publish, revision: revision, pending: pending?.id, source: nil)
        return try await self.verdict(on: question, pending: pending, contentRevision: version.contentRevision, basis)
    }

    /// The repository that a copy leaves has a say by its rules on promotions, the one that it enters by its rules on
    /// publishes.
    private func verdict(
        onCopyOf id: VersionID, from key: RepoKey, under grant: Grant
    ) async throws -> PublishVerdict {
        let found = try await self.database.read { transaction in
            (
                try PolicyEvaluationStore.circumstances(of: id, in: key, of: grant.tenant, for: .promote, transaction),
                try PolicyEvaluationStore.policy(of: grant.repo, of: grant.tenant, transaction)
            )
        }
        guard let (version, sourceRules, sourceRevision, pending) = found.0, let (target, rules, revision) = found.1
        else { return .allowed }
        let question = PolicyQuestion(
            action: .promote, repo: grant.repo, source: key, coordinate: version.coordinate, content: .stored(id),
            rules: [
                RuleSet(.source, sourceRules, for: .promote, key),
                RuleSet(.repository, rules, for: .publish, grant.repo),
            ], trust: target, caller: grant.caller)
        let basis = PublishVerdict.Basis(
            action: .promote, revision: revision, pending: pending?.id,
            source: PublishVerdict.Basis.Source(version: id, revision: sourceRevision))
        return try await self.verdict(on: question, pending: pending, contentRevision: version.contentRevision, basis)
    }

    private func verdict(
        on question: PolicyQuestion, pending: PendingEvaluation?, contentRevision: Int?, _ basis: PublishVerdict.Basis
    ) async throws -> PublishVerdict {
        let trace = try await self.judge.trace(on: question)
        var (decision, reason) = (trace?.decision ?? .allow, trace?.reason)
        if let pending, pending.decision > decision {
            (decision, reason) = (pending.decision, "evaluation \(pending.id): \(pending.reason)")
        }
        let text = reason ?? ""
        let verdict: PublishVerdict.Decision =
            switch decision {
            case .allow: .allow
            case .quarantine: .quarantine(reason: text)
            case .deny: .deny(reason: text)
            }
        let further =
            question.version.flatMap { id in
                question.source.map {
                    [JSON.Member("sourceRepoKey", .string($0.text)), JSON.Member("sourceVersionId", JSON(id))]
                }
            } ?? []
        return PublishVerdict(
            verdict, contentRevision: contentRevision, basis: basis,
            evaluation: trace?.evaluation(
                question.action, decision: decision, because: reason, of: question.coordinate,
                contentRevision: contentRevision, further))
    }

    // MARK: - In the transaction

    package func settle(
        _ verdict: PublishVerdict, on version: PackageVersion, at now: Timestamp, by caller: Caller,
        _ transaction: borrowing Transaction
    ) throws -> QuarantineID? {
        guard let basis = verdict.basis else { return nil }
        guard let own = try PolicyEvaluationStore.standing(of: version.id, for: basis.action, transaction) else {
            throw DatabaseFault.unreadable("a version that is about to be published is missing")
        }
        guard own.revision == basis.revision else { throw ContentChanged() }
        var judged = version.id
        if let source = basis.source {
            let other = try PolicyEvaluationStore.standing(of: source.version, for: basis.action, transaction)
            guard other?.revision == source.revision, other?.pending == basis.pending else { throw ContentChanged() }
            judged = source.version
        } else if own.pending != basis.pending {
            throw ContentChanged()
        }
        if basis.pending != nil {
            try PolicyEvaluationStore.spend(judged, for: basis.action, at: now, transaction)
        }
        if let evaluation = verdict.evaluation {
            _ = try PolicyEvaluationStore.append(
                evaluation, of: version.id, in: version.repository, isSpent: true, by: caller.subject, at: now,
                transaction)
        }
        return own.quarantine
    }

    package func record(
        _ verdict: PublishVerdict, denying version: PackageVersion, isStored: Bool, at now: Timestamp,
        by caller: Caller,
        _ transaction: borrowing Transaction
    ) throws {
        guard let evaluation = verdict.evaluation else { return }
        _ = try PolicyEvaluationStore.append(
            evaluation, of: isStored ? version.id : nil, in: version.repository, isSpent: true, by: caller.subject,
            at: now, transaction)
    }
}
