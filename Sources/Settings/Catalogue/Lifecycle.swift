// Retention and collection.

extension Catalogue {
    static let lifecycle: [any AnySetting] = [
        Setting.tombstoneRetentionDays, Setting.gcRetentionGraceHours, Setting.gcBatchSize, Setting.eventRetentionDays,
    ]
}

extension Setting where Value == Int {
    package static var tombstoneRetentionDays: Self {
        Self(
            "lifecycle.defaultTombstoneRetentionDays", .integer(1...3650), default: 30,
            "How long a tombstoned version is kept where the request says nothing.")
    }

    package static var gcRetentionGraceHours: Self {
        Self(
            "lifecycle.defaultGcRetentionGraceHours", .integer(0...8760), default: 24,
            "How long a blob without references is kept."
        ).pending("collection")
    }

    package static var gcBatchSize: Self {
        Self(
            "lifecycle.defaultGcBatchSize", .integer(1...5000), default: 200,
            "The number of blobs that one collection run deletes at most."
        ).pending("collection")
    }

    package static var eventRetentionDays: Self {
        Self("events.retentionDays", .integer(1...3650), default: 30, "How long the event log is kept.")
    }
}
