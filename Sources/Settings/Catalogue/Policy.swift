// What may be published and promoted (docs/policy.md).

package import Domain

extension Catalogue {
    static let policy: [any AnySetting] = [
        Setting.policyEvaluationTimeoutMS, Setting.policyAllowSimulatedTimeout, Setting.policyRules,
        Setting.policyHTTPURL, Setting.policyHTTPSecret, Setting.policyHTTPCAFile,
    ]
}

extension Setting where Value == Int {
    package static var policyEvaluationTimeoutMS: Self {
        Self(
            "policy.evaluationTimeoutMs", .integer(1...60000), default: 250,
            "Time that a policy verdict may take; a publish is refused with `policy_timeout` when it is over.")
    }
}

extension Setting where Value == Bool {
    package static var policyAllowSimulatedTimeout: Self {
        Self(
            "policy.allowSimulatedTimeout", .boolean, default: false,
            "Let a request simulate a policy time-out (`simulate_timeout`); for drills.")
    }
}

extension Setting where Value == PolicyRules {
    package static var policyRules: Setting<PolicyRules> {
        Self(
            "policy.rules", .policyRules, default: .none,
            "Rules that hold in every repository, beside each repository's own.")
    }
}

extension Setting where Value == RemoteURL? {
    package static var policyHTTPURL: Self {
        Self(
            "policy.http.url", Kind<RemoteURL>.remoteURL.orNone, default: nil,
            "A policy server that is asked after the rules; it may be on this machine.")
    }
}

extension Setting where Value == String? {
    package static var policyHTTPCAFile: Self {
        Self(
            "policy.http.caFile", Kind<String>.path.orNone, default: nil,
            "PEM file with the certificate authorities to trust for `policy.http.url`, in place of the system's.")
    }
}

extension Setting where Value == Secret? {
    package static var policyHTTPSecret: Self {
        Self(
            "policy.http.secret", Kind<Secret>.secret.orNone, default: nil,
            "Signs what the policy server is asked; required with `policy.http.url`.")
    }
}
