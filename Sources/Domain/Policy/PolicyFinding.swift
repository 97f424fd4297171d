// What came of asking a policy, rule by rule.

/// What one rule, or a policy server, said.
package struct PolicyFinding: Hashable, Sendable {
    /// Who laid the rule down.
    package enum Origin: String, Sendable {
        /// The settings of the installation.
        case installation
        /// The repository's own policy.
        case repository
        /// In a promotion: the policy of the repository that the version comes from.
        case source
        /// The policy server.
        case server
    }

    package let rule: String
    package let origin: Origin
    /// What the rule looks at.
    package let check: String
    package let decision: PolicyDecision
    /// For people; nil where it allows.
    package let reason: String?
    package let duration: Duration

    /// In characters: of a reason. Names that are quoted in it may be as long as a manifest.
    private static let reasonLimit = 1000

    package init(
        rule: String, origin: Origin, check: String, decision: PolicyDecision, reason: String?, duration: Duration
    ) {
        self.rule = rule
        self.origin = origin
        self.check = check
        self.decision = decision
        self.duration = duration
        self.reason = reason.map { $0.utf8.count <= Self.reasonLimit ? $0 : "\($0.prefix(Self.reasonLimit))…" }
    }

    package var json: JSON {
        [
            "rule": .string(self.rule), "origin": .string(self.origin.rawValue), "check": .string(self.check),
            "decision": .string(self.decision.rawValue), "reason": JSON(self.reason),
            "durationMicroseconds": .integer(self.duration.microseconds),
        ]
    }
}

/// What all rules said, in their order.
package struct PolicyTrace: Hashable, Sendable {
    package let findings: [PolicyFinding]
    package let duration: Duration

    package init(_ findings: [PolicyFinding], duration: Duration) {
        self.findings = findings
        self.duration = duration
    }

    /// The first of the strictest; nil where no rule was asked.
    package var decisive: PolicyFinding? {
        self.findings.reduce(nil) { strictest, finding in
            guard let strictest, strictest.decision >= finding.decision else { return finding }
            return strictest
        }
    }

    package var decision: PolicyDecision { self.decisive?.decision ?? .allow }

    /// With the name of the rule; nil where everything is allowed.
    package var reason: String? {
        guard let decisive = self.decisive, decisive.decision != .allow else { return nil }
        return "rule '\(decisive.rule)': \(decisive.reason ?? decisive.decision.rawValue)"
    }

    package var json: JSON { .array(self.findings.map(\.json)) }
}

extension Duration {
    package var microseconds: Int64 {
        let (seconds, attoseconds) = self.components
        return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }
}
