// What subscribers are told. Kinds: HTTP contract, section 9, row 37.

package enum EventKind: String, CaseIterable, Sendable {
    case versionPublished = "version.published"
    case versionFileAdded = "version.file_added"
    case versionTombstoned = "version.tombstoned"
    case versionRestored = "version.restored"
    case versionQuarantined = "version.quarantined"
    case versionReleased = "version.released"
    case versionRejected = "version.rejected"
    case versionPromoted = "version.promoted"
    case policyDenied = "policy.denied"
    case tagMoved = "tag.moved"
    /// Several versions at once: beside the events of each.
    case releasePublished = "release.published"

    /// Whether readers see it while the version's quarantine is as it is. What would lead them to a version that
    /// they cannot have is withheld; its release is an event of its own.
    package func isShown(_ quarantine: QuarantineStatus?) -> Bool {
        switch self {
        case .versionPublished, .versionFileAdded, .versionPromoted, .tagMoved: quarantine?.hides != true
        case .versionTombstoned, .versionRestored, .versionQuarantined, .versionReleased, .versionRejected,
            .policyDenied, .releasePublished:
            true
        }
    }
}
