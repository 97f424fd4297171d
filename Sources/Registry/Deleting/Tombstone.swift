// Taking a version out of service: the one piece of code for every way to do so. Rules: HTTP contract, 3.5, 6.1, 7.8
// and section 9, row 37; architecture, section 6 (Delete).

import Domain
import Persistence

struct Tombstone: Sendable {
    let reason: String
    /// How long the version is kept.
    let days: Int

    /// Tombstones a version, and takes away the tags that point at it. To be called last in the transaction.
    ///
    /// - Precondition: the package's row is locked (where there is one), and then the version's.
    /// - Returns: until when the version is kept.
    /// - Throws: `artifact_protected`; `conflict` where it is tombstoned already.
    @discardableResult
    func put(
        on version: PackageVersion, by caller: Caller, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> Timestamp {
        if let protection = try ProtectionStore.active(on: version.id, transaction) {
            throw Refusal(
                .artifactProtected, "The version is protected (\(protection.mode)): it cannot be tombstoned.",
                ["protectionId": .string(protection.id.description), "mode": .string(protection.mode)])
        }
        let state = try version.state.after(.tombstone)
        for tag in try TagStore.tags(at: version.id, transaction) {
            try TagStore.remove(tag, by: caller.subject, at: now, transaction)
        }
        let retention = now + Int64(self.days) * 86400
        try VersionStore.tombstone(
            version.id, tenant: version.repository.tenant, reason: self.reason, until: retention, by: caller.subject,
            at: now, transaction)
        let announcement = Announcement(of: version)
        let audit = announcement.audit(
            "package.version.\(state.rawValue)", ["retentionDays": String(self.days), "reason": self.reason],
            by: caller, at: now)
        let event = announcement.event(
            .versionTombstoned, id: UniqueID(at: now), [.init("tombstonedAtUtc", JSON(now))], at: now)
        try transaction.execute(each: [audit] + event) { $0 }
        transaction.notify(EventLog.channel)
        return retention
    }
}
