// Policy evaluations: asked for by hand, and what publishes were judged by. Shapes: HTTP contract, 3.6 and section 9,
// row 5; what is read beyond it: docs/policy.md.

import Domain
import HTTP
import Persistence
package import Registry

package struct EvaluationRoutes: Sendable {
    private let evaluating: Evaluating

    package init(evaluating: Evaluating) { self.evaluating = evaluating }

    package var routes: [Route] {
        let path = "/v1/repos/{repoKey}/policy/evaluations"
        return [
            .repository("POST", path, .promote) { call, grant in try await self.evaluate(call, grant) },
            .repository("GET", path, .read) { call, grant in try await self.list(call, grant) },
            .repository(
                "GET", "\(path)/{evaluationNumber}", .read, check: { _ = try $0.evaluation },
                { call, grant in
                    .json(200, try await self.evaluating.find(call.evaluation, under: grant).json(in: grant.repo))
                }),
            .repository(
                "DELETE", "\(path)/{evaluationNumber}", .admin, check: { _ = try $0.evaluation },
                { call, grant in try await self.withdraw(call, grant) }),
        ]
    }

    private func evaluate(_ call: Call, _ grant: Grant) async throws -> Response {
        let request = try await EvaluationRequest(call.fields())
        return try await call.commit { commit in
            try await self.evaluating.evaluate(request, under: grant, commit: commit)
        } answer: { made in
            call.created(at: "/v1/repos/\(grant.repo)/policy/evaluations/\(made.id)", made.json(in: grant.repo))
        }
    }

    private func withdraw(_ call: Call, _ grant: Grant) async throws -> Response {
        let id = try call.evaluation
        return try await call.commit { commit in
            try await self.evaluating.withdraw(id, under: grant, commit: commit)
        } answer: { evaluation in
            .json(200, evaluation.json(in: grant.repo))
        }
    }

    private func list(_ call: Call, _ grant: Grant) async throws -> Response {
        let target = call.request.target
        var filter = PolicyEvaluationStore.Filter()
        if let text = target.parameter("versionId")?.trimmedOrNil {
            guard let id = UniqueID(text, lenient: true) else { throw Refusal.badRequest("versionId must be a UUID.") }
            filter.version = VersionID(id)
        }
        filter.action = try target.word("action")
        filter.decision = try target.word("decision")
        if let cursor = try call.cursor {
            guard cursor.count == 1, let id = Int64(cursor[0]) else {
                throw Refusal.badRequest("after must be the 'next' of a page.")
            }
            filter.before = id
        }
        let page = try await self.evaluating.list(
            filter, limit: target.count("limit", default: 100, atMost: 500), under: grant)
        return .json(
            200,
            [
                "repoKey": .string(grant.repo.text),
                "items": .array(page.items.map { .object($0.members(in: grant.repo)) }),
                "next": JSON(page.next.map { Cursor.text(of: [String($0)]) }),
            ])
    }
}

extension Call {
    /// - Throws: `bad_request`.
    fileprivate var evaluation: Int64 {
        get throws(Refusal) {
            guard let id = Int64((self.values["evaluationNumber"] ?? "").trimmed), id > 0 else {
                throw .badRequest("An evaluation is named by its number.")
            }
            return id
        }
    }
}

extension EvaluationRequest {
    /// - Throws: `bad_request`.
    fileprivate init(_ fields: Fields) throws(Refusal) {
        let action = try PolicyAction(word: fields.requiredText("action"), "action")
        let version = try fields.id("versionId")
        guard version != .zero else { throw .badRequest("versionId is required.") }
        var hint: PolicyDecision?
        if let text = try fields.trimmedText("decisionHint") { hint = try PolicyDecision(word: text, "decisionHint") }
        let (reason, engine) = (try fields.requiredText("reason"), try fields.trimmedText("policyEngineVersion"))
        guard reason.utf8.count <= 4096, engine?.utf8.count ?? 0 <= 256 else {
            throw .badRequest("reason must have at most 4096 bytes, policyEngineVersion at most 256.")
        }
        self.init(action: action, version: VersionID(version), hint: hint, reason: reason, engineVersion: engine)
    }
}

extension MadeEvaluation {
    fileprivate func json(in repo: RepoKey) -> JSON {
        .object(
            self.evaluation.members(self.id, in: repo, self.version, at: self.evaluatedAt) + [
                .init("quarantineId", JSON(self.quarantine)), .init("quarantined", .bool(self.quarantine != nil)),
            ])
    }
}

extension StoredEvaluation {
    fileprivate func json(in repo: RepoKey) -> JSON {
        .object(self.members(in: repo) + [.init("details", self.evaluation.details)])
    }

    /// Without what each rule said: for lists.
    fileprivate func members(in repo: RepoKey) -> [JSON.Member] {
        self.evaluation.members(self.id, in: repo, self.version, at: self.evaluatedAt) + [
            .init("contentRevision", JSON(self.evaluation.contentRevision)),
            .init("evaluatedBySubject", JSON(self.evaluatedBy)), .init("spentAtUtc", JSON(self.spentAt)),
        ]
    }
}

extension PolicyEvaluation {
    fileprivate func members(
        _ id: Int64, in repo: RepoKey, _ version: VersionID?, at time: Timestamp
    ) -> [JSON.Member] {
        [
            .init("evaluationId", .integer(id)), .init("repoKey", .string(repo.text)),
            .init("versionId", JSON(version)), .init("action", .string(self.action.rawValue)),
            .init("decision", .string(self.decision.rawValue)), .init("decisionSource", .string(self.source)),
            .init("reason", .string(self.reason)), .init("policyEngineVersion", JSON(self.engineVersion)),
            .init("evaluatedAtUtc", JSON(time)),
        ]
    }
}
