// The policy at the door of every publish: the strictest of the rules and of any evaluation that was asked for by hand
// and waits for the present content. Rules: HTTP contract, section 9, row 5.

package import Domain
package import Persistence
import Policy

package struct PolicyGate: PublishGate {
    private let judge: PolicyJudge
    private let database: any Database

    package init(judge: PolicyJudge, database: any Database) {
        self.judge = judge
        self.database = database
    }

    package func verdict(on candidate: PublishCandidate) async throws -> PublishVerdict {
        let grant = candidate.grant
        switch candidate.content {
        case .draft(let id): return try await self.judge(draft: id, under: grant)
        case .copy(let id, let source): return try await self.judge(copyOf: id, from: source, under: grant)
        case .whole(let coordinate, let entries, let manifest):
            let found = try await self.database.lookup {
                try PolicyEvaluationStore.policy(of: grant.repo, of: grant.tenant, $0)
            }
            guard let (_, policy, generation) = found else { return .allowed }  // the publish finds no repository
            let question = PolicyQuestion(
                action: .publish, repo: grant.repo, source: nil, coordinate: coordinate,
                content: .given(entries, manifest: manifest),
                policies: [.init(.repository, policy, for: .publish, grant.repo)], trust: nil, caller: grant.caller)
            let basis = PublishVerdict.Basis(action: .publish, generation: generation, pending: nil, source: nil)
            return try await self.judge(question, pending: nil, contentRevision: nil, basis)
        }
    }

    private func judge(draft id: VersionID, under grant: Grant) async throws -> PublishVerdict {
        let found = try await self.database.lookup {
            try PolicyEvaluationStore.circumstances(of: id, in: grant.repo, of: grant.tenant, for: .publish, $0)
        }
        // Where there is no draft, the publish says so itself.
        guard let (version, policy, generation, pending) = found, version.state == .draft else { return .allowed }
        let question = PolicyQuestion(
            action: .publish, repo: grant.repo, source: nil, coordinate: version.coordinate, content: .stored(id),
            policies: [.init(.repository, policy, for: .publish, grant.repo)], trust: nil, caller: grant.caller)
        let basis = PublishVerdict.Basis(action: .publish, generation: generation, pending: pending?.id, source: nil)
        return try await self.judge(question, pending: pending, contentRevision: version.contentRevision, basis)
    }

    /// The repository that a copy leaves has a say by its rules on promotions, the one that it enters by its rules on
    /// publishes.
    private func judge(
        copyOf id: VersionID, from key: RepoKey, under grant: Grant
    ) async throws -> PublishVerdict {
        let found = try await self.database.read { transaction in
            (
                try PolicyEvaluationStore.circumstances(of: id, in: key, of: grant.tenant, for: .promote, transaction),
                try PolicyEvaluationStore.policy(of: grant.repo, of: grant.tenant, transaction),
                try QuarantineStore.status(of: id, transaction)
            )
        }
        // What cannot be promoted is refused by the promotion itself, whatever the policy is.
        guard let (version, sourcePolicy, sourceGeneration, pending) = found.0,
            let (target, policy, generation) = found.1,
            Visibility.byCoordinate(version.state, found.2) == .visible
        else { return .allowed }
        let question = PolicyQuestion(
            action: .promote, repo: grant.repo, source: key, coordinate: version.coordinate, content: .stored(id),
            policies: [
                .init(.source, sourcePolicy, for: .promote, key), .init(.repository, policy, for: .publish, grant.repo),
            ], trust: target, caller: grant.caller)
        let basis = PublishVerdict.Basis(
            action: .promote, generation: generation, pending: pending?.id,
            source: PublishVerdict.Basis.Source(version: id, generation: sourceGeneration))
        return try await self.judge(question, pending: pending, contentRevision: version.contentRevision, basis)
    }

    private func judge(
        _ question: PolicyQuestion, pending: PendingEvaluation?, contentRevision: Int?, _ basis: PublishVerdict.Basis
    ) async throws -> PublishVerdict {
        let trace = try await self.judge.trace(on: question)
        var (decision, reason, origin) = (trace?.decision ?? .allow, trace?.reason, "rules")
        if let pending, pending.decision > decision {
            (decision, reason) = (pending.decision, "evaluation \(pending.id): \(pending.reason)")
            origin = "evaluation"
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
            evaluation: trace.map { trace in
                PolicyEvaluation(
                    action: question.action, decision: decision, source: "\(origin)_\(decision.rawValue)", reason: text,
                    details: .object(trace.details(of: question.coordinate) + further),
                    contentRevision: contentRevision)
            })
    }

    // MARK: - In the transaction

    package func settle(
        _ verdict: PublishVerdict, on version: PackageVersion, at now: Timestamp, by caller: Caller,
        _ transaction: borrowing Transaction
    ) throws -> QuarantineID? {
        // Something has come that was not there to be judged.
        guard let basis = verdict.basis else { throw ContentChanged() }
        guard let own = try PolicyEvaluationStore.pending(of: version.id, for: basis.action, transaction) else {
            throw DatabaseFault.unreadable("a version that is about to be published is missing")
        }
        guard own.generation == basis.generation else { throw ContentChanged() }
        var judged = version.id
        if let source = basis.source {
            let other = try PolicyEvaluationStore.pending(of: source.version, for: basis.action, transaction)
            guard other?.generation == source.generation, other?.pending == basis.pending else {
                throw ContentChanged()
            }
            judged = source.version
        } else if own.pending != basis.pending {
            throw ContentChanged()
        }
        if basis.pending != nil {
            try PolicyEvaluationStore.consume(judged, for: basis.action, at: now, transaction)
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
