// What blocks a release: every version that does, not only the first one.

import Domain
import Persistence

/// Looks at each version of a set, whose rows are locked.
struct ReleaseCheck {
    private struct Obstacle {
        let version: PackageVersion
        let refusal: Refusal

        var json: JSON {
            .object(
                [
                    .init("versionId", JSON(self.version.id)),
                    .init("repoKey", .string(self.version.repository.key.text)),
                    .init("error", .string(self.refusal.reason.rawValue)),
                    .init("message", .string(self.refusal.message)),
                ] + self.refusal.details)
        }
    }

    private let verdicts: [VersionID: PublishVerdict]

    init(_ verdicts: [VersionID: PublishVerdict]) { self.verdicts = verdicts }

    /// The versions as drafts that may be published, their blobs locked in the order of the digests.
    ///
    /// - Throws: a refusal that names each version that may not; what ends the attempt where a verdict is on another
    ///   content.
    func drafts(
        of versions: [PackageVersion], at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> [(draft: Draft, verdict: PublishVerdict)] {
        var obstacles: [Obstacle] = []
        var ready: [(draft: Draft, digests: [BlobDigest])] = []
        for version in versions {
            do {
                try RetiredCoordinateStore.refuse(version.coordinate, in: version.repository.id, transaction)
                ready.append(try Publishing.publishable(version, transaction))
            } catch let refusal as Refusal {
                obstacles.append(Obstacle(version: version, refusal: refusal))
            }
        }
        let blobs = try BlobStore.refer(to: Set(ready.flatMap(\.digests)).sorted(), at: now, transaction)
        for (draft, digests) in ready {
            guard let digest = digests.first(where: { blobs[$0] == nil }) else { continue }
            obstacles.append(
                Obstacle(version: draft.version, refusal: .conflict("The blob '\(digest)' does not exist.")))
        }
        var denied: [(version: PackageVersion, verdict: PublishVerdict, reason: String)] = []
        var drafts: [(draft: Draft, verdict: PublishVerdict)] = []
        for (draft, _) in ready {
            // A draft without one was no draft when the policy was asked: it cannot be one now.
            guard let verdict = self.verdicts[draft.id], verdict.fits(draft) else { throw ContentChanged() }
            drafts.append((draft, verdict))
            if case .deny(let reason) = verdict.decision {
                denied.append((draft.version, verdict, reason))
                obstacles.append(Obstacle(version: draft.version, refusal: .denied(reason)))
            }
        }
        guard let first = obstacles.first else { return drafts }
        throw Self.refusal(first, obstacles, denied, among: versions.count)
    }

    private static func refusal(
        _ first: Obstacle, _ obstacles: [Obstacle],
        _ denied: [(version: PackageVersion, verdict: PublishVerdict, reason: String)], among count: Int
    ) -> any Error {
        let blocked = obstacles.sorted { $0.version.id < $1.version.id }
        let message =
            "None was published: \(Set(blocked.map(\.version.id)).count) of \(count) versions stand in the way. "
            + first.refusal.message
        let list = JSON.Member("blocked", .array(blocked.map(\.json)))
        guard let reason = denied.first?.reason else { return Refusal(.conflict, message, [list]) }
        return PublishDenial(
            denied: denied.sorted {
                ($0.version.repository.id, $0.version.id) < ($1.version.repository.id, $1.version.id)
            },
            refusal: Refusal(.policyDenied, message, [.init("reason", .string(reason)), list]))
    }
}
