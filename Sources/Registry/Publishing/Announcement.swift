// What everybody is told of a change to a version, in the transaction of the change: audit, outbox, event log.
// Shapes: HTTP contract, 3.5, 4.1 and section 9, row 37.

import Domain
import Persistence

/// A version and its names, as events and audit rows carry them.
struct Announcement: Sendable {
    let repository: Repository
    let package: PackageID
    let version: VersionID
    let coordinate: Coordinate

    private var payload: [JSON.Member] {
        [
            .init("versionId", .string(self.version.description)), .init("repoKey", .string(self.repository.key.text)),
            .init("packageType", .string(self.coordinate.package.type)),
            .init("packageNamespace", JSON(self.coordinate.package.namespace)),
            .init("packageName", .string(self.coordinate.package.name)),
            .init("version", .string(self.coordinate.version)),
        ]
    }

    /// To be called last in the transaction: the event's number is taken here.
    ///
    /// - Returns: the outbox event's id.
    @discardableResult
    func published(by caller: Caller, at now: Timestamp, _ transaction: borrowing Transaction) throws -> UniqueID {
        try AuditLog.append(
            AuditEntry(
                "package.version.published", on: "package_version", self.version,
                [
                    "repoKey": self.repository.key.text, "packageType": self.coordinate.package.type,
                    "packageName": self.coordinate.package.name, "version": self.coordinate.version,
                    "state": VersionState.published.rawValue,
                ]), by: caller, at: now, transaction)
        let payload = JSON.object(self.payload + [.init("publishedAtUtc", JSON(now))])
        let event = try Outbox.append(
            .versionPublished, of: self.version, tenant: self.repository.tenant, payload: payload, at: now, transaction)
        try EventLog.append(
            .versionPublished, id: event, in: self.repository, version: self.version, package: self.package,
            payload: payload, at: now, transaction)
        return event
    }

    /// To be called last in the transaction.
    func tombstoned(
        reason: String, retentionDays: Int, by caller: Caller, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try AuditLog.append(
            AuditEntry(
                "package.version.tombstoned", on: "package_version", self.version,
                [
                    "repoKey": self.repository.key.text, "packageType": self.coordinate.package.type,
                    "packageName": self.coordinate.package.name, "version": self.coordinate.version,
                    "retentionDays": String(retentionDays), "reason": reason,
                ]), by: caller, at: now, transaction)
        try EventLog.append(
            .versionTombstoned, id: UniqueID(at: now), in: self.repository, version: self.version,
            package: self.package, payload: .object(self.payload + [.init("tombstonedAtUtc", JSON(now))]), at: now,
            transaction)
    }
}
