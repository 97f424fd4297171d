// Tombstoning a version by its id. Rules: HTTP contract, 3.5.

package import Domain
import Persistence
package import Threads

package struct TombstonedVersion: Hashable, Sendable {
    package let version: PackageVersion
    /// Nil where it was tombstoned before.
    package let tombstonedAt: Timestamp?
    package let retentionUntil: Timestamp?

    package var isRepeated: Bool { self.tombstonedAt == nil }
}

package struct Tombstoning: Sendable {
    private let clock: WallClock
    private let defaultRetentionDays: Int

    package init(clock: WallClock, defaultRetentionDays: Int) {
        self.clock = clock
        self.defaultRetentionDays = defaultRetentionDays
    }

    /// Tombstones a draft or a published version. Again, it does nothing.
    ///
    /// - Parameter days: how long the version is kept; nil for the repository's or the server's default.
    /// - Throws: `not_found`; `artifact_protected`.
    package func tombstone(
        _ id: VersionID, reason: String, days: Int?, under grant: Grant, commit: Commit<TombstonedVersion>
    ) async throws -> TombstonedVersion {
        try await commit { [now = self.clock.now(), defaultRetentionDays] transaction in
            transaction.allowReserve()
            // Its package first, for that is the order of locks.
            let seen = try VersionStore.require(id, in: grant.repo, of: grant.tenant, transaction)
            if let package = seen.package { try PackageStore.lock(package, transaction) }
            let version = try VersionStore.require(id, in: grant.repo, of: grant.tenant, locked: true, transaction)
            guard version.state != .tombstoned else {
                return TombstonedVersion(
                    version: version, tombstonedAt: nil,
                    retentionUntil: try VersionStore.retention(of: id, transaction))
            }
            let days = days ?? version.repository.settings.tombstoneRetentionDays ?? defaultRetentionDays
            let retention = try Tombstone(reason: reason, days: days)
                .put(on: version, by: grant.caller, at: now, transaction)
            return TombstonedVersion(version: version, tombstonedAt: now, retentionUntil: retention)
        }
    }
}
