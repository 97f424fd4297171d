// Promotion: a published version copied by reference into another repository, with the same digests, in one transaction;
// gated by the policies of both and by quarantine. Rules: HTTP contract, section 9, rows 5, 25 and 37.

package import Domain
package import Persistence
package import Threads

/// What is to be promoted, with authorization.
package struct Promotion: Sendable {
    package let version: VersionID
    fileprivate let source: Grant
    package let target: Grant

    /// Leave to promote out of a repository.
    ///
    /// - Throws: `forbidden` without `read` and `promote` on it.
    package static func leave(_ source: RepoKey, by caller: Caller) throws(Refusal) -> Grant {
        _ = try caller.grant(.read, on: source)
        return try caller.grant(.promote, on: source)
    }

    /// - Throws: `forbidden` without `read` and `promote` on the source and `promote` on the target; `bad_request` where
    ///   they are the same.
    package init(_ version: VersionID, from source: RepoKey, to target: RepoKey, by caller: Caller) throws(Refusal) {
        self.version = version
        self.source = try Self.leave(source, by: caller)
        self.target = try caller.grant(.promote, on: target)
        guard source != target else { throw .badRequest("targetRepo must be another repository.") }
    }
}

package struct PromotedVersion: Hashable, Sendable {
    package let publication: Publication
    package let source: RepoKey
    package let sourceVersion: VersionID
}

package struct Promoting: Sendable {
    private let guarded: GuardedPublish
    private let gate: any PublishGate
    private let quota: StorageQuota
    private let clock: WallClock

    package init(database: any Database, gate: any PublishGate, quota: StorageQuota, clock: WallClock) {
        self.guarded = GuardedPublish(gate: gate, database: database, clock: clock)
        self.gate = gate
        self.quota = quota
        self.clock = clock
    }

    /// Publishes a version in the target repository as it is in the source. Where the same is published there already, it
    /// does nothing.
    ///
    /// - Throws: `not_found` for the version or the target; `quarantined_blob` where the version is in quarantine;
    ///   `conflict` where it is not published, or the target takes no such package or has another version of that name;
    ///   `coordinate_retired`; `too_many_requests` over the tenant's quota; `policy_denied`, `policy_timeout`.
    package func promote(
        _ promotion: Promotion, commit: Commit<PromotedVersion>
    ) async throws -> PromotedVersion {
        let candidate = PublishCandidate(
            .copy(promotion.version, from: promotion.source.repo), under: promotion.target)
        return try await self.guarded.run([candidate], by: promotion.target.caller) { verdicts in
            try await commit { [gate, quota, now = self.clock.now()] transaction in
                let (source, target) = try Self.places(promotion, verdicts[0], transaction)
                let publication = try Self.publish(
                    source, in: target, by: promotion.target.caller, verdicts[0], through: gate, within: quota, at: now,
                    transaction)
                return PromotedVersion(
                    publication: publication, source: source.repository.key, sourceVersion: source.id)
            }
        }
    }

    /// The version that is to be copied, its row locked, where it may be; and where it is to go.
    private static func places(
        _ promotion: Promotion, _ verdict: PublishVerdict, _ transaction: borrowing Transaction
    ) throws -> (source: PackageVersion, target: Repository) {
        let target = try Self.lockPackages(promotion, transaction)
        let version = try VersionStore.require(
            promotion.version, in: promotion.source.repo, of: promotion.source.tenant, locked: true, transaction)
        switch Visibility.byCoordinate(version.state, try QuarantineStore.status(of: version.id, transaction)) {
        case .visible: break
        case .absent:
            throw Refusal.conflict("The version is \(version.state.rawValue): only a published one can be promoted.")
        case .withheld:
            throw Refusal(.quarantinedBlob, "The version is in quarantine: it can't be promoted until it is released.")
        }
        if let judged = verdict.contentRevision, judged != version.contentRevision { throw ContentChanged() }
        return (version, target)
    }

    /// Packages come before versions, and both packages in one order: rivals that copy the other way wait, not forever.
    ///
    /// - Returns: the target repository.
    private static func lockPackages(
        _ promotion: Promotion, _ transaction: borrowing Transaction
    ) throws -> Repository {
        let version = try VersionStore.require(
            promotion.version, in: promotion.source.repo, of: promotion.source.tenant, transaction)
        let target = try RepositoryStore.require(promotion.target.repo, of: promotion.target.tenant, transaction)
        let other = try PackageStore.find(version.coordinate.package, in: target.id, transaction)
        for package in [version.package, other].compactMap(\.self).sorted() {
            try PackageStore.lock(package, transaction)
        }
        return target
    }

    private static func publish(
        _ source: PackageVersion, in target: Repository, by caller: Caller, _ verdict: PublishVerdict,
        through gate: any PublishGate, within quota: StorageQuota, at now: Timestamp,
        _ transaction: borrowing Transaction
    ) throws -> Publication {
        let name = source.coordinate.package
        try target.checkTakes(name.type)
        let package = try PackageStore.locked(name, in: target, at: now, transaction)
        let place = try Place(of: source, as: package, in: target, transaction)
        if let present = place.present {
            guard present.state == .published,
                try VersionContentStore.isSame(source.id, as: present.id, transaction)
            else { throw place.taken(present) }
            return Publication(
                version: present, event: nil, quarantine: try QuarantineStore.hiding(present.id, transaction))
        }
        let draft = try Self.copy(source, to: place, package, in: target, by: caller, at: now, transaction)
        if let head = place.head {
            try TagStore.point(
                FilePublishing.headTag, of: package, to: draft.id, from: head.former, by: caller.subject, at: now,
                transaction)
        }
        try quota.enforce(for: target.tenant, transaction)
        // The copy has the content that was judged, and a count of its own.
        let own = PublishVerdict(
            verdict.decision, contentRevision: nil, basis: verdict.basis, evaluation: verdict.evaluation)
        let completed = try Completion.publish(
            [(draft, own)], through: gate, by: caller, at: now, copiedFrom: source, transaction)[0]
        return Publication(version: completed.version, event: completed.event, quarantine: completed.quarantine)
    }

    private static func copy(
        _ source: PackageVersion, to place: Place, _ package: PackageID, in target: Repository, by caller: Caller,
        at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> Draft {
        try RetiredCoordinateStore.refuse(place.coordinate, in: target.id, transaction)
        let inventory = try VersionContentStore.inventory(of: source, transaction)
        let digests = try AttestationStore.digests(of: source.id, transaction)
        try Publishing.refer(to: Set(inventory.digests + digests).sorted(), at: now, transaction)
        let draft = try VersionStore.insertDraft(
            place.coordinate, of: package, in: target, sealing: source.sealing, by: caller.subject, at: now,
            transaction)
        try VersionContentStore.copy(from: source.id, into: draft, at: now, transaction)
        try AttestationStore.copy(from: source.id, to: draft.id, in: target.id, at: now, transaction)
        return draft
    }
}

/// Where a copy goes: the same coordinate; a file of a generic repository becomes the path's next revision.
private struct Place {
    let coordinate: Coordinate
    /// What is there already, its row locked.
    let present: PackageVersion?
    /// For a file by path: where its tag points.
    let head: Head?
    private let allowsOverwriting: Bool

    struct Head { let former: VersionID? }

    init(
        of source: PackageVersion, as package: PackageID, in target: Repository, _ transaction: borrowing Transaction
    ) throws {
        self.allowsOverwriting = target.settings.overwrite
        guard try Self.isFile(source, transaction) else {
            self.coordinate = source.coordinate
            self.head = nil
            self.present = try VersionStore.find(
                source.coordinate.version, of: package, isLocked: true, transaction)
            return
        }
        let path = try RelativePath(lookingUp: source.coordinate.package.name)
        let former = try TagStore.locked(FilePublishing.headTag, of: package, transaction)
        if former == nil { try FilePaths.claim(path, in: target.id, transaction) }
        let latest = try VersionStore.latest(of: package, transaction)
        let revision = try FilePublishing.revision(after: latest?.version, at: path, in: target, transaction)
        self.coordinate = FilePublishing.coordinate(of: path, revision: revision)
        self.head = Head(former: former)
        // The same file again is no new revision; another one is only where files may be overwritten.
        var present = try former.flatMap {
            try VersionStore.require($0, in: target.key, of: target.tenant, locked: true, transaction)
        }
        if let current = present, target.settings.overwrite,
            try !VersionContentStore.isSame(source.id, as: current.id, transaction)
        {
            present = nil
        }
        if present == nil, !target.settings.overwrite, let latest {
            // Deleted: it stays so.
            present = try VersionStore.require(latest.id, in: target.key, of: target.tenant, locked: true, transaction)
        }
        self.present = present
    }

    /// Whether it was published by its path. Drafts of the same type are versions like all others.
    private static func isFile(_ source: PackageVersion, _ transaction: borrowing Transaction) throws -> Bool {
        guard source.coordinate.package.type == FilePublishing.packageType, let package = source.package else {
            return false
        }
        return try TagStore.current(FilePublishing.headTag, of: package, transaction) != nil
            && source.coordinate.package.namespace == nil
            && (try? RelativePath(lookingUp: source.coordinate.package.name)) != nil
    }

    func taken(_ present: PackageVersion) -> Refusal {
        let what = "'\(present.coordinate.package.name)' \(present.coordinate.version)"
        guard present.state == .published else {
            return .conflict("\(what) is \(present.state.rawValue) in repository '\(present.repository.key)'.")
        }
        let advice =
            self.head != nil && !self.allowsOverwriting ? " Its setting \"overwrite\" would allow a new revision." : ""
        return .conflict(
            "\(what) is published in repository '\(present.repository.key)' with other content, which never changes."
                + advice)
    }
}
