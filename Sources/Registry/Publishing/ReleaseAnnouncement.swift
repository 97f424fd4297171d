// The audit, outbox and event records of a release as a whole, beside those of each version, in its transaction.

import Domain
import Persistence

struct ReleaseAnnouncement: Sendable {
    let id: ReleaseID
    let versions: [VersionID: PackageVersion]
    private let set: ReleaseSet

    init(_ set: ReleaseSet, id: ReleaseID, of versions: [PackageVersion]) {
        self.set = set
        self.id = id
        self.versions = Dictionary(uniqueKeysWithValues: versions.map { ($0.id, $0) })
    }

    private static func list(_ ids: [VersionID]) -> String { ids.map(\.description).joined(separator: ",") }

    private func payload(_ ids: [VersionID], _ further: [JSON.Member], at now: Timestamp) -> JSON {
        .object(
            [.init("releaseId", JSON(self.id)), .init("name", JSON(self.set.name))] + further + [
                .init("versionIds", JSON(ids.map(\.description))), .init("publishedAtUtc", JSON(now)),
            ])
    }

    /// The audit row, and the outbox's. Nothing is left to be delivered: each version has an event of its own there.
    func records(by caller: Caller, at now: Timestamp) -> [SQL] {
        let keys = Set(self.versions.values.map(\.repository.key.text)).sorted()
        return [
            AuditLog.statement(
                AuditEntry(
                    "release.published", on: "release", self.id,
                    [
                        "name": self.set.name ?? "", "versionCount": String(self.set.versions.count),
                        "repoKeys": keys.joined(separator: ","), "versionIds": Self.list(self.set.versions),
                    ]), by: caller, at: now),
            Outbox.record(
                .releasePublished, id: UniqueID(at: now), of: self.id, tenant: caller.tenant,
                payload: self.payload(self.set.versions, [.init("repoKeys", JSON(keys))], at: now), at: now),
        ]
    }

    /// For the log of each repository: the release, with the versions that are in it.
    func events(at now: Timestamp) -> [(RepoID, [SQL])] {
        Dictionary(grouping: self.versions.values, by: \.repository).map { repository, versions in
            let here = Set(versions.map(\.id))
            let statements = EventLog.append(
                .releasePublished, id: UniqueID(at: now), in: repository, version: nil, package: nil,
                payload: self.payload(
                    self.set.versions.filter(here.contains), [.init("repoKey", .string(repository.key.text))], at: now),
                at: now)
            return (repository.id, statements)
        }
    }
}
