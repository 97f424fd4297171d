// The audit, outbox and event records of a promotion, beside those of its publish.

import Domain
import Persistence

struct PromotionAnnouncement: Sendable {
    private let source: PackageVersion
    private let copy: PackageVersion

    init(of source: PackageVersion, to copy: PackageVersion) {
        self.source = source
        self.copy = copy
    }

    private var places: [JSON.Member] {
        [
            .init("sourceRepoKey", .string(self.source.repository.key.text)),
            .init("sourceVersionId", .string(self.source.id.description)),
            .init("targetRepoKey", .string(self.copy.repository.key.text)),
            .init("targetVersionId", .string(self.copy.id.description)),
        ]
    }

    /// The audit row, on the version that was promoted.
    func record(by caller: Caller, at now: Timestamp) -> SQL {
        Announcement(of: self.source).audit("package.version.promoted", self.places, by: caller, at: now)
    }

    /// For the logs of both repositories, each about its own version: who reads one may not know of the other.
    func events(at now: Timestamp) -> [(RepoID, [SQL])] {
        [(self.source, "out"), (self.copy, "in")].map { version, direction in
            (
                version.repository.id,
                Announcement(of: version).event(
                    .versionPromoted, id: UniqueID(at: now), [.init("direction", .string(direction))], at: now)
            )
        }
    }
}
