// Asking the rules and the policy server, in time. Where there is no verdict, nothing is changed but the audit log, which
// says so. Rules: HTTP contract, 3.6 and section 9, rows 5 and 21.

package import Domain
package import Persistence
package import Policy
package import Threads

/// What is to be judged, and by whose rules.
struct PolicyQuestion: Sendable {
    enum Content: Sendable {
        /// Files and manifest are in the database.
        case stored(VersionID)
        case given([ArtifactEntry], manifest: JSON)
    }

    let action: PolicyAction
    let repo: RepoKey
    /// Where a promotion comes from.
    let source: RepoKey?
    let coordinate: Coordinate
    let content: Content
    /// The policies of repositories, as they are stored, in the order of evaluation. The installation's is asked the same
    /// before them.
    let policies: [StoredRules]
    /// The repository whose trusted keys count.
    let trust: RepoID?
    let caller: Caller

    struct StoredRules: Sendable {
        let origin: PolicyFinding.Origin
        let document: JSON
        let action: PolicyAction
        let repo: RepoKey

        init(_ origin: PolicyFinding.Origin, _ document: JSON, for action: PolicyAction, _ repo: RepoKey) {
            self.origin = origin
            self.document = document
            self.action = action
            self.repo = repo
        }
    }

    /// Nil for a version that does not exist yet.
    var version: VersionID? { if case .stored(let id) = self.content { id } else { nil } }
}

/// What came of asking, for metrics and log.
package enum PolicyOutcome: Sendable {
    case verdict(PolicyAction, PolicyDecision)
    /// None that can be relied on, or none in time.
    case none(PolicyAction, of: String, because: PolicyFault, correlation: UniqueID)
}

package struct PolicyJudge: Sendable {
    private let installation: PolicyRules
    private let server: (any PolicyEngine)?
    private let budget: PolicyBudget
    private let steadyClock: SteadyClock
    private let database: any Database
    private let clock: WallClock
    private let observe: @Sendable (PolicyOutcome) -> Void

    /// - Parameters:
    ///   - installation: rules that hold in every repository.
    ///   - server: asked after them, where they do not deny.
    ///   - observe: called with each verdict, or the reason why there was none.
    package init(
        installation: PolicyRules, server: (any PolicyEngine)?, budget: PolicyBudget, steadyClock: SteadyClock,
        database: any Database, clock: WallClock, observe: @escaping @Sendable (PolicyOutcome) -> Void
    ) {
        self.installation = installation
        self.server = server
        self.budget = budget
        self.steadyClock = steadyClock
        self.database = database
        self.clock = clock
        self.observe = observe
    }

    /// What the rules and the policy server say.
    ///
    /// - Returns: nil if there are no rules and no policy server.
    /// - Throws: `policy_timeout`, which has been recorded then.
    func trace(on question: PolicyQuestion) async throws -> PolicyTrace? {
        let none = JSON.array([])
        if self.installation.rules.isEmpty, self.server == nil, question.policies.allSatisfy({ $0.document == none }) {
            return nil
        }
        let trace = try await self.inTime(question) { () -> PolicyTrace? in
            let start = self.steadyClock.now()
            let rules = try self.rules(for: question)
            if rules.isEmpty, self.server == nil { return nil }
            let candidate = try await self.candidate(for: question, rules.predicateTypes)
            var findings = try await rules.findings(on: candidate)
            let isDenied = findings.contains { $0.decision == .deny }
            if let server = self.server, !isDenied { findings += try await server.findings(on: candidate) }
            return PolicyTrace(findings, duration: self.steadyClock.now() - start)
        }
        if let trace { self.observe(.verdict(question.action, trace.decision)) }
        return trace
    }

    /// - Throws: `PolicyFault` for rules that this program cannot read: they may say no.
    private func rules(for question: PolicyQuestion) throws(PolicyFault) -> RuleEngine {
        var sets = question.policies.map { RuleSet(.installation, self.installation, for: $0.action, $0.repo) }
        for policy in question.policies {
            do {
                sets.append(
                    RuleSet(policy.origin, try PolicyRules(parsing: policy.document), for: policy.action, policy.repo))
            } catch {
                throw .unreliable("the rules of '\(policy.repo)' can't be read: \(error.message)")
            }
        }
        return RuleEngine(sets, type: question.coordinate.package.type, clock: self.steadyClock)
    }

    /// Goes on as if there were no verdict in time: for drills.
    ///
    /// - Throws: `policy_timeout`, always.
    func simulateTimeout(
        _ action: PolicyAction, of version: VersionID, under grant: Grant
    ) async throws {
        let question = PolicyQuestion(
            action: action, repo: grant.repo, source: nil,
            coordinate: Coordinate(PackageName(type: "", name: ""), version: "", sortKey: []),
            content: .stored(version),
            policies: [], trust: nil, caller: grant.caller)
        _ = try await self.inTime(question) { [steadyClock] in
            while true { try await steadyClock.sleep(for: .seconds(60)) }
        }
    }

    private func inTime<Value: Sendable>(
        _ question: PolicyQuestion, _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let (action, caller, subject) = (question.action, question.caller, question.subject)
        let timeout = self.budget.limit.microseconds / 1000
        let problem: String
        do {
            return try await self.budget.run(work)
        } catch let fault as PolicyFault {
            self.observe(.none(action, of: subject, because: fault, correlation: caller.correlation))
            switch fault {
            case .timedOut: problem = "gave no verdict within \(timeout) ms"
            case .unreliable: problem = "server gave no verdict that can be relied on"
            }
        }
        try await self.database.transaction { [now = self.clock.now()] transaction in
            try AuditLog.append(
                AuditEntry(
                    "policy.timeout", on: "policy_evaluation", subject,
                    [
                        .init("repoKey", .string((question.source ?? question.repo).text)),
                        .init("versionId", .string(question.version?.description ?? "")),
                        .init("action", .string(action.rawValue)), .init("timeoutMs", .string(String(timeout))),
                        .init("failClosed", "true"),
                    ] + (question.source == nil ? [] : [.init("targetRepoKey", .string(question.repo.text))])),
                by: caller, at: now, transaction)
        }
        throw Refusal(
            .policyTimeout, "The policy \(problem): nothing was changed. Try again.",
            ["action": .string(action.rawValue), "failClosed": true, "timeoutMs": .integer(timeout)])
    }

    private func candidate(
        for question: PolicyQuestion, _ predicateTypes: Set<Name>
    ) async throws -> PolicyCandidate {
        let (files, manifest, attested): (PolicyFiles, JSON, Set<Name>)
        switch question.content {
        case .given(let entries, let document): (files, manifest, attested) = (PolicyFiles(entries), document, [])
        case .stored(let id):
            (files, manifest, attested) = try await self.database.read { [server, trust = question.trust] transaction in
                var attested: Set<Name> = []
                for type in predicateTypes.sorted()
                where try AttestationStore.isAttested(id, as: type.text, trustedBy: trust, transaction) {
                    attested.insert(type)
                }
                return (
                    try VersionContentStore.policyFiles(of: id, isListed: server != nil, transaction),
                    try VersionContentStore.manifest(of: id, transaction)?.document ?? [:], attested
                )
            }
        }
        return PolicyCandidate(
            action: question.action, repo: question.repo, source: question.source, version: question.version,
            coordinate: question.coordinate, manifest: manifest, files: files, attested: attested,
            caller: question.caller)
    }
}

extension PolicyQuestion {
    /// What is judged, in a word.
    fileprivate var subject: String { self.version?.description ?? self.coordinate.package.name }
}

extension PolicyTrace {
    func details(of coordinate: Coordinate) -> [JSON.Member] {
        coordinate.details + [
            .init("durationMicroseconds", .integer(self.duration.microseconds)), .init("trace", self.json),
        ]
    }
}

extension Coordinate {
    /// The names that are kept with an evaluation.
    var details: [JSON.Member] {
        [
            .init("packageType", .string(self.package.type)), .init("packageNamespace", JSON(self.package.namespace)),
            .init("packageName", .string(self.package.name)), .init("version", JSON(self.version.trimmedOrNil)),
        ]
    }
}
