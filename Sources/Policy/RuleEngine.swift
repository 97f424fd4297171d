// The rules that are evaluated here: those of the settings and those of repositories.

package import Domain
package import Threads

package struct RuleEngine: PolicyEngine {
    private let rules: [(origin: PolicyFinding.Origin, rule: PolicyRule)]
    private let clock: SteadyClock

    /// - Parameter sets: in the order of evaluation.
    package init(_ sets: [(origin: PolicyFinding.Origin, rules: PolicyRules)], clock: SteadyClock) {
        self.rules = sets.flatMap { set in set.rules.rules.map { (set.origin, $0) } }
        self.clock = clock
    }

    /// Those of the rules that are for such a candidate.
    ///
    /// - Parameter repo: where it is to be published.
    package func rules(for action: PolicyAction, type: String, repo: RepoKey) -> RuleEngine {
        RuleEngine(self.rules.filter { $0.rule.applies(to: action, type: type, repo: repo) }, self.clock)
    }

    private init(_ rules: [(origin: PolicyFinding.Origin, rule: PolicyRule)], _ clock: SteadyClock) {
        (self.rules, self.clock) = (rules, clock)
    }

    package var isEmpty: Bool { self.rules.isEmpty }

    /// Predicate types that a candidate's attestations have to be looked up for.
    package var predicateTypes: Set<String> {
        self.rules.reduce(into: []) { types, element in
            if case .attestation(let wanted) = element.rule.check { types.formUnion(wanted) }
        }
    }

    /// Every rule is evaluated, whatever the others said, so that the trace is whole.
    package func findings(on candidate: PolicyCandidate) async throws -> [PolicyFinding] {
        var findings: [PolicyFinding] = []
        for (origin, rule) in self.rules {
            try Task.checkCancellation()
            let start = self.clock.now()
            let objection = rule.objection(to: candidate)
            findings.append(
                PolicyFinding(
                    rule: rule.name, origin: origin, check: rule.check.kind,
                    decision: objection == nil ? .allow : rule.effect, reason: objection,
                    duration: self.clock.now() - start))
        }
        return findings
    }
}
