// What a tenant may use, and what it uses. Rules: HTTP contract, 7.5.

/// A tenant's quotas.
package struct AdmissionPolicy: Hashable, Sendable {
    package static let storageBounds: ClosedRange<Int64> = 10_485_760...Int64.max
    package static let sessionBounds: ClosedRange<Int64> = 1...1000
    package static let jobBounds: ClosedRange<Int64> = 1...50_000
    /// The largest configurable value, and the default: it stands for "no quota was set".
    package static let largestDefault: Int64 = 10_995_116_277_760

    /// In bytes.
    package let maxLogicalStorageBytes: Int64
    package let maxConcurrentUploadSessions: Int64
    package let maxPendingSearchJobs: Int64
    package let updatedBy: String
    package let updatedAt: Timestamp

    package init(
        maxLogicalStorageBytes: Int64, maxConcurrentUploadSessions: Int64, maxPendingSearchJobs: Int64,
        updatedBy: String = "system-default", updatedAt: Timestamp = .yearOne
    ) {
        self.maxLogicalStorageBytes = maxLogicalStorageBytes
        self.maxConcurrentUploadSessions = maxConcurrentUploadSessions
        self.maxPendingSearchJobs = maxPendingSearchJobs
        self.updatedBy = updatedBy
        self.updatedAt = updatedAt
    }

    /// Whether a further upload of `length` bytes may begin.
    ///
    /// - Throws: `too_many_requests`, for sessions first.
    package func admitUpload(of length: Int64, beside usage: AdmissionUsage) throws(Refusal) {
        guard usage.activeUploadSessions < self.maxConcurrentUploadSessions else {
            throw Refusal(
                .tooManyRequests, "The tenant has \(usage.activeUploadSessions) uploads under way, as many as it may.",
                ["limit": JSON(self.maxConcurrentUploadSessions), "used": JSON(usage.activeUploadSessions)])
        }
        try StorageAllowance(limit: self.maxLogicalStorageBytes, used: usage.logicalStorageBytes).admit(length)
    }
}

/// A tenant's quota of bytes, and what it uses of it.
package struct StorageAllowance: Hashable, Sendable {
    /// In bytes.
    package let limit: Int64
    /// In bytes.
    package let used: Int64

    package init(limit: Int64, used: Int64) {
        self.limit = limit
        self.used = used
    }

    /// Verifies that `length` more bytes are within the quota.
    ///
    /// - Throws: `too_many_requests`.
    package func admit(_ length: Int64) throws(Refusal) {
        let (total, overflows) = self.used.addingReportingOverflow(length)
        guard overflows || total > self.limit else { return }
        throw Refusal(
            .tooManyRequests, "The upload would exceed the tenant's quota of \(self.limit) bytes.",
            ["limit": JSON(self.limit), "used": JSON(self.used)])
    }
}

extension AdmissionPolicy {
    /// Looks at what is used once an upload has begun, and is counted.
    ///
    /// - Parameter uncounted: sessions that ended with their beginning, and take a place all the same.
    /// - Throws: `too_many_requests`, for sessions first.
    package func keep(_ usage: AdmissionUsage, besideUncounted uncounted: Int64) throws(Refusal) {
        let before = AdmissionUsage(
            logicalStorageBytes: usage.logicalStorageBytes,
            activeUploadSessions: usage.activeUploadSessions + uncounted - 1,
            pendingSearchJobs: usage.pendingSearchJobs)
        try self.admitUpload(of: 0, beside: before)
    }
}

/// What a tenant uses of its quotas.
package struct AdmissionUsage: Hashable, Sendable {
    /// In bytes, of upload sessions and of what was published without one; content that is stored once for several
    /// uploads counts for each.
    package let logicalStorageBytes: Int64
    /// Expired ones included, until they are aborted.
    package let activeUploadSessions: Int64
    package let pendingSearchJobs: Int64

    package init(logicalStorageBytes: Int64, activeUploadSessions: Int64, pendingSearchJobs: Int64) {
        self.logicalStorageBytes = logicalStorageBytes
        self.activeUploadSessions = activeUploadSessions
        self.pendingSearchJobs = pendingSearchJobs
    }
}
