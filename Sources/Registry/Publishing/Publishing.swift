// Publishing a draft: all of it or nothing, once. Rules: HTTP contract, 3.5 and section 9, row 5; architecture, I2, I3
// and section 6 (Publish).

package import Domain
package import Persistence
package import Threads

package struct Publication: Hashable, Sendable {
    package let version: PackageVersion
    /// Nil where it was published before.
    package let event: UniqueID?
    package let quarantine: QuarantineID?

    package var isRepeated: Bool { self.event == nil }
}

package struct Publishing: Sendable {
    private let guarded: GuardedPublish
    private let gate: any PublishGate
    private let clock: WallClock

    package init(database: any Database, gate: any PublishGate, clock: WallClock) {
        self.guarded = GuardedPublish(gate: gate, database: database, clock: clock)
        self.gate = gate
        self.clock = clock
    }

    /// Publishes a draft. Published before, it does nothing.
    ///
    /// - Throws: `not_found`; `conflict` where it is no draft, lacks entries or manifest, or a blob of it is not
    ///   committed here; `coordinate_retired`; `policy_denied`, `policy_timeout`.
    package func publish(
        _ id: VersionID, under grant: Grant, commit: Commit<Publication>
    ) async throws -> Publication {
        let candidate = PublishCandidate(.draft(id), under: grant)
        return try await self.guarded.run([candidate], by: grant.caller) { verdicts in
            try await commit { [gate, now = self.clock.now()] transaction in
                let version = try VersionStore.require(
                    id, in: grant.repo, of: grant.tenant, locked: true, transaction)
                if version.state == .published {
                    return Publication(
                        version: version, event: nil, quarantine: try QuarantineStore.hiding(version.id, transaction))
                }
                let (draft, digests) = try Self.publishable(version, transaction)
                try Self.refer(to: digests, at: now, transaction)
                let completed = try Completion.publish(
                    [(draft, verdicts[0])], through: gate, by: grant.caller, at: now, transaction)[0]
                return Publication(
                    version: completed.version, event: completed.event, quarantine: completed.quarantine)
            }
        }
    }

    /// A draft that has all that a publish asks for, and the blobs that it refers to.
    ///
    /// - Precondition: the version's row is locked.
    /// - Throws: `conflict`.
    static func publishable(
        _ version: PackageVersion, _ transaction: borrowing Transaction
    ) throws -> (Draft, [BlobDigest]) {
        _ = try version.state.after(.publish)
        let inventory = try VersionContentStore.inventory(of: version, transaction)
        guard inventory.hasEntries else {
            throw Refusal.conflict("The version cannot be published without an entry.")
        }
        if let digest = inventory.uncommitted.first { throw Refusal.uncommitted(digest) }
        guard inventory.hasManifest else {
            throw Refusal.conflict("The version cannot be published without a manifest.")
        }
        return (try version.draft(), inventory.digests)
    }

    /// Locks blobs against collection.
    ///
    /// - Parameter digests: in their order.
    /// - Throws: `conflict` where one is not there any more.
    static func refer(
        to digests: [BlobDigest], at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        let blobs = try BlobStore.refer(to: digests, at: now, transaction)
        for digest in digests where blobs[digest] == nil {
            throw Refusal.conflict("The blob '\(digest)' does not exist.")
        }
    }
}
