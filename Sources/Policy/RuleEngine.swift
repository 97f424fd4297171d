// The rules that are evaluated here: those of the settings and those of repositories.

package import Domain
package import Threads

/// A set of rules, and what they are evaluated for.
package struct RuleSet: Sendable {
    package let origin: PolicyFinding.Origin
    package let rules: PolicyRules
    package let action: PolicyAction
    /// What is published into it, or promoted out of it.
    package let repo: RepoKey

    package init(_ origin: PolicyFinding.Origin, _ rules: PolicyRules, for action: PolicyAction, _ repo: RepoKey) {
        self.origin = origin
        self.rules = rules
        self.action = action
        self.repo = repo
    }
}

package struct RuleEngine: PolicyEngine {
    private let rules: [(origin: PolicyFinding.Origin, rule: PolicyRule)]
    private let clock: SteadyClock

    /// Those of the rules that are for a package of this type; each once, where several sets have the same.
    ///
    /// - Parameter sets: in the order of evaluation.
    package init(_ sets: [RuleSet], type: String, clock: SteadyClock) {
        var rules: [(origin: PolicyFinding.Origin, rule: PolicyRule)] = []
        for set in sets {
            for rule in set.rules.rules where rule.applies(to: set.action, type: type, repo: set.repo) {
                if !rules.contains(where: { $0.origin == set.origin && $0.rule.name.hasSameBytes(as: rule.name) }) {
                    rules.append((set.origin, rule))
                }
            }
        }
        self.rules = rules
        self.clock = clock
    }

    package var isEmpty: Bool { self.rules.isEmpty }

    /// Predicate types that a candidate's attestations have to be looked up for.
    package var predicateTypes: Set<Name> {
        self.rules.reduce(into: []) { types, element in
            if case .attestation(let wanted) = element.rule.check { types.formUnion(wanted.map { Name($0) }) }
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
