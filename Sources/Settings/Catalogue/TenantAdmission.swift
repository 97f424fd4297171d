// What a tenant may use where no quota of its own is set (HTTP contract, 7.5).

extension Catalogue {
    static let tenantAdmission: [any AnySetting] = [
        Setting.tenantMaxLogicalStorageBytes, Setting.tenantMaxConcurrentUploadSessions,
        Setting.tenantMaxPendingSearchJobs,
    ]
}

extension Setting where Value == Int {
    package static var tenantMaxLogicalStorageBytes: Self {
        Self(
            "tenantAdmission.defaultMaxLogicalStorageBytes", .integer(10_485_760...10_995_116_277_760),
            default: 53_687_091_200, "Bytes stored (50 GiB).")
    }

    package static var tenantMaxConcurrentUploadSessions: Self {
        Self(
            "tenantAdmission.defaultMaxConcurrentUploadSessions", .integer(1...1000), default: 1000,
            "Open upload sessions.")
    }

    package static var tenantMaxPendingSearchJobs: Self {
        Self("tenantAdmission.defaultMaxPendingSearchJobs", .integer(1...50000), default: 5000, "Waiting search jobs.")
    }
}
