// The audit, outbox and event records of a change to a version, in the transaction of the change.
// Shapes: HTTP contract, 3.5, 4.1 and section 9, row 37.

import Domain
import Persistence

/// A version and its names, as events and audit rows carry them.
struct Announcement: Sendable {
    private let version: PackageVersion
    /// Whether the version is there: what was refused may never have been stored.
    private let isStored: Bool

    init(of version: PackageVersion, isStored: Bool = true) {
        self.version = version
        self.isStored = isStored
    }

    private var repository: Repository { self.version.repository }
    private var coordinate: Coordinate { self.version.coordinate }

    private var payload: [JSON.Member] {
        [
            .init("versionId", self.isStored ? JSON(self.version.id) : .null),
            .init("repoKey", .string(self.repository.key.text)),
            .init("packageType", .string(self.coordinate.package.type)),
            .init("packageNamespace", JSON(self.coordinate.package.namespace)),
            .init("packageName", .string(self.coordinate.package.name)),
            .init("version", .string(self.coordinate.version)),
        ]
    }

    /// An audit row on the version.
    func audit(
        _ action: String, _ further: KeyValuePairs<String, String> = [:], names: Bool = true, by caller: Caller,
        at now: Timestamp
    ) -> SQL {
        self.audit(action, further.map { JSON.Member($0.key, .string($0.value)) }, names: names, by: caller, at: now)
    }

    /// - Parameter further: their values are texts.
    func audit(
        _ action: String, _ further: [JSON.Member], names: Bool = true, by caller: Caller, at now: Timestamp
    ) -> SQL {
        var details = [JSON.Member("repoKey", .string(self.repository.key.text))]
        if names {
            details += [
                .init("packageType", .string(self.coordinate.package.type)),
                .init("packageName", .string(self.coordinate.package.name)),
                .init("version", .string(self.coordinate.version)),
            ]
        }
        details += further
        let entry =
            self.isStored
            ? AuditEntry(action, on: "package_version", self.version.id, details)
            : AuditEntry(action, on: "package", self.coordinate.package.name, details)
        return AuditLog.statement(entry, by: caller, at: now)
    }

    /// An event in the repository's log. Its number is taken when the statements run, so they run last.
    func event(
        _ kind: EventKind, id: UniqueID, _ further: [JSON.Member] = [], at now: Timestamp
    ) -> [SQL] {
        EventLog.append(
            kind, id: id, in: self.repository, version: self.isStored ? self.version.id : nil,
            package: self.isStored ? self.version.package : nil, payload: .object(self.payload + further), at: now)
    }

    /// The outbox row of a publication.
    func outbox(_ kind: EventKind, id: UniqueID, _ further: [JSON.Member] = [], at now: Timestamp) -> SQL {
        Outbox.append(
            kind, id: id, of: self.version.id, tenant: self.repository.tenant,
            payload: .object(self.payload + further), at: now)
    }
}
