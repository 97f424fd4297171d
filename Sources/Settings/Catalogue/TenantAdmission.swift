// The quotas of tenants that have none of their own (HTTP contract, 7.5 and section 9, row 49).

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
            default: 10_995_116_277_760,
            "Logical bytes, by every way in. The default (10 TiB) stands for no quota: it is not enforced exactly.")
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
