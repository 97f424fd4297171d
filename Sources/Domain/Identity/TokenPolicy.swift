// A tenant's rules for issuing tokens. Rules: HTTP contract, 7.2 and section 9, rows 4 and 29.

package struct TokenPolicy: Hashable, Sendable {
    /// What a stored policy may set, whatever the server's own cap is.
    package static let ttlBounds = 5...525_600

    package let maxTTLMinutes: Int
    /// False makes the bootstrap token worthless while an administrator's token is active.
    package let allowsBootstrapIssuance: Bool
    package let updatedBy: String
    package let updatedAt: Timestamp

    package init(maxTTLMinutes: Int, allowsBootstrapIssuance: Bool, updatedBy: String, updatedAt: Timestamp) {
        self.maxTTLMinutes = maxTTLMinutes
        self.allowsBootstrapIssuance = allowsBootstrapIssuance
        self.updatedBy = updatedBy
        self.updatedAt = updatedAt
    }

    /// What holds where a tenant has none of its own.
    ///
    /// - Parameter cap: the server's, in minutes.
    package static func standard(cap: Int) -> TokenPolicy {
        TokenPolicy(
            maxTTLMinutes: cap, allowsBootstrapIssuance: true, updatedBy: "system-default", updatedAt: .yearOne)
    }

    /// With the lower of both caps.
    package func capped(at cap: Int) -> TokenPolicy {
        TokenPolicy(
            maxTTLMinutes: min(self.maxTTLMinutes, cap), allowsBootstrapIssuance: self.allowsBootstrapIssuance,
            updatedBy: self.updatedBy, updatedAt: self.updatedAt)
    }
}

extension Timestamp {
    /// 0001-01-01T00:00:00Z: the time of a value that was never set.
    package static let yearOne = Timestamp(microseconds: -62_135_596_800_000_000)
}
