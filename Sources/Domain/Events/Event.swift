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
}
