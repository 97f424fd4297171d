// Policy, retention and collection.

extension Catalogue {
    static let lifecycle: [any AnySetting] = [
        Setting.policyEvaluationTimeoutMS, Setting.policyAllowSimulatedTimeout, Setting.tombstoneRetentionDays,
        Setting.gcRetentionGraceHours, Setting.gcBatchSize, Setting.eventRetentionDays,
    ]
}

extension Setting where Value == Int {
    package static var policyEvaluationTimeoutMS: Self {
        Self(
            "policy.evaluationTimeoutMs", .integer(1...60000), default: 250,
            "Time that a policy verdict may take; a publish is refused with `policy_timeout` when it is over.")
    }

    package static var tombstoneRetentionDays: Self {
        Self(
            "lifecycle.defaultTombstoneRetentionDays", .integer(1...3650), default: 30,
            "How long a tombstoned version is kept where the request says nothing.")
    }

    package static var gcRetentionGraceHours: Self {
        Self(
            "lifecycle.defaultGcRetentionGraceHours", .integer(0...8760), default: 24,
            "How long a blob without references is kept.")
    }

    package static var gcBatchSize: Self {
        Self(
            "lifecycle.defaultGcBatchSize", .integer(1...5000), default: 200,
            "Blobs that one collection run deletes at most.")
    }

    package static var eventRetentionDays: Self {
        Self("events.retentionDays", .integer(1...3650), default: 30, "How long the event log is kept.")
    }
}

extension Setting where Value == Bool {
    package static var policyAllowSimulatedTimeout: Self {
        Self(
            "policy.allowSimulatedTimeout", .boolean, default: false,
            "Let a request simulate a policy time-out (`simulate_timeout`); for drills.")
    }
}
