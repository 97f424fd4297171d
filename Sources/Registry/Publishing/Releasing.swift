// Publishing several drafts, also of several repositories: all of them in one transaction, or none. Rules: HTTP
// contract, 3.5 and section 9, rows 5, 25 and 37; architecture, I3.

package import Domain
package import Persistence
package import Threads

/// A release set whose caller may publish every version of it.
package struct ReleasePlan: Sendable {
    struct Item: Sendable {
        let version: PackageVersion
        let grant: Grant
    }

    let set: ReleaseSet
    let caller: Caller
    /// By version, which is the order of locks.
    let items: [Item]

    fileprivate init(_ set: ReleaseSet, of caller: Caller, _ items: [Item]) {
        self.set = set
        self.caller = caller
        self.items = items.sorted { $0.version.id < $1.version.id }
    }
}

package struct PublishedRelease: Sendable {
    package let release: StoredRelease
    package let versions: [ReleasedVersion]
    /// Whether it was published before.
    package let isRepeated: Bool
}

package struct Releasing: Sendable {
    private let guarded: GuardedPublish
    private let gate: any PublishGate
    private let database: any Database
    private let clock: WallClock

    package init(database: any Database, gate: any PublishGate, clock: WallClock) {
        self.guarded = GuardedPublish(gate: gate, database: database, clock: clock)
        self.gate = gate
        self.database = database
        self.clock = clock
    }

    /// Authorization to publish every version of a set.
    ///
    /// - Throws: `forbidden` for a repository that the caller may read but not publish in; `not_found` for versions
    ///   that are not there, or are in repositories that the caller may not know of: it does not say which.
    package func plan(_ set: ReleaseSet, for caller: Caller) async throws -> ReleasePlan {
        let found = try await self.database.read { transaction in
            var found: [PackageVersion] = []
            for id in set.versions {
                if let version = try VersionStore.find(id, of: caller.tenant, transaction) { found.append(version) }
            }
            return found
        }
        var items: [ReleasePlan.Item] = []
        for version in found {
            let key = version.repository.key
            guard caller.holds(.promote, on: key) || caller.holds(.read, on: key) else { continue }
            items.append(ReleasePlan.Item(version: version, grant: try caller.grant(.promote, on: key)))
        }
        let known = Set(items.map(\.version.id))
        let missing = set.versions.filter { !known.contains($0) }
        guard missing.isEmpty else {
            throw Refusal(
                .notFound, "\(missing.count) of \(set.versions.count) versions were not found.",
                ["missing": JSON(missing.map(\.description))])
        }
        return ReleasePlan(set, of: caller, items)
    }

    /// Publishes all drafts of a set, or none. Where exactly this set was released before, it does nothing.
    ///
    /// - Throws: `conflict` and `policy_denied` with `blocked`: each version that blocks it, and why;
    ///   `policy_timeout`.
    package func release(
        _ plan: ReleasePlan, commit: Commit<PublishedRelease>
    ) async throws -> PublishedRelease {
        let drafts = plan.items.filter { $0.version.state == .draft }
        let candidates = drafts.map { PublishCandidate(.draft($0.version.id), under: $0.grant) }
        return try await self.guarded.run(candidates, by: plan.caller) { verdicts in
            let judged = Dictionary(uniqueKeysWithValues: zip(drafts.map(\.version.id), verdicts))
            return try await commit { [gate, now = self.clock.now()] transaction in
                var versions: [PackageVersion] = []
                for item in plan.items {
                    versions.append(
                        try VersionStore.require(
                            item.version.id, in: item.grant.repo, of: item.grant.tenant, locked: true, transaction))
                }
                if let before = try Self.releasedBefore(versions, of: plan.caller, transaction) { return before }
                let ready = try ReleaseCheck(judged).drafts(of: versions, at: now, transaction)
                return try Self.publish(
                    ready, as: plan.set, through: gate, by: plan.caller, at: now, transaction)
            }
        }
    }

    /// The release that published these versions and no others.
    private static func releasedBefore(
        _ versions: [PackageVersion], of caller: Caller, _ transaction: borrowing Transaction
    ) throws -> PublishedRelease? {
        guard versions.allSatisfy({ $0.state == .published }),
            let id = try ReleaseStore.release(of: versions[0].id, transaction),
            let (release, released) = try ReleaseStore.find(id, of: caller.tenant, transaction),
            Set(released.map(\.id)) == Set(versions.map(\.id))
        else { return nil }
        return PublishedRelease(release: release, versions: released, isRepeated: true)
    }

    private static func publish(
        _ drafts: [(draft: Draft, verdict: PublishVerdict)], as set: ReleaseSet, through gate: any PublishGate,
        by caller: Caller, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> PublishedRelease {
        let announcement = ReleaseAnnouncement(set, id: ReleaseID(at: now), of: drafts.map(\.draft.version))
        try ReleaseStore.insert(
            set, id: announcement.id, of: announcement.versions, by: caller, at: now, transaction)
        try transaction.execute(each: announcement.records(by: caller, at: now)) { $0 }
        _ = try Completion.publish(
            drafts, through: gate, by: caller, at: now, as: announcement, transaction)
        guard let (release, versions) = try ReleaseStore.find(announcement.id, of: caller.tenant, transaction) else {
            throw DatabaseFault.unreadable("a release that was just made")
        }
        return PublishedRelease(release: release, versions: versions, isRepeated: false)
    }
}
