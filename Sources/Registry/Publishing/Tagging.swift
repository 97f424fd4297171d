// Moving tags and channels: the only pointers that change. Rules: architecture, section 5; HTTP contract, section 9,
// rows 25 and 37.

package import Domain
package import Persistence
package import Threads

package struct MovedTag: Hashable, Sendable {
    package let package: PackageName
    package let tag: StoredTag
    /// Whether the tag was there before.
    package let isNew: Bool
}

package struct Tagging: Sendable {
    private let clock: WallClock

    package init(clock: WallClock) { self.clock = clock }

    /// Points a tag at a version. One that points there already stays as it is.
    ///
    /// - Parameter isWanted: asked of the tag as it is, nil for none; a refusal where it says no.
    /// - Throws: `not_found` for repository, package or version; `precondition_failed`; `conflict` where the version
    ///   is not published or is in quarantine, or a file would appear in the place of a folder; `confusable_name`.
    package func move(
        _ name: TagName, of package: PackageName, to version: String,
        if isWanted: @escaping @Sendable (StoredTag?) -> Bool, under grant: Grant, commit: Commit<MovedTag>
    ) async throws -> MovedTag {
        try await commit { [now = self.clock.now()] transaction in
            let (repository, id, tag) = try Self.locked(name, of: package, under: grant, transaction)
            try Self.check(tag, isWanted)
            if tag == nil, let path = FilePublishing.path(of: package, at: name) {
                try FilePaths.claim(path, in: repository.id, transaction)
            }
            if tag == nil { try TagStore.refuseConfusable(name.text, of: id, in: repository, transaction) }
            guard let target = try VersionStore.find(version, of: id, isLocked: true, transaction) else {
                throw Refusal.notFound("Version '\(version)' of '\(package.name)'")
            }
            try Self.checkTarget(target, transaction)
            if let tag, tag.version == target.id { return MovedTag(package: package, tag: tag, isNew: false) }
            try TagStore.point(
                name.text, of: id, to: target.id, from: tag?.version, by: grant.caller.subject, at: now, transaction)
            guard let moved = try TagStore.find(name.text, of: id, transaction) else {
                throw DatabaseFault.unreadable("the tag that was just written is missing")
            }
            try Self.announce(
                "package.tag.moved", of: target, from: tag, to: moved, by: grant.caller, at: now, transaction)
            return MovedTag(package: package, tag: moved, isNew: tag == nil)
        }
    }

    /// Takes a tag away.
    ///
    /// - Throws: `not_found`; `precondition_failed`.
    package func remove(
        _ name: TagName, of package: PackageName, if isWanted: @escaping @Sendable (StoredTag?) -> Bool,
        under grant: Grant, commit: Commit<StoredTag>
    ) async throws -> StoredTag {
        try await commit { [now = self.clock.now()] transaction in
            let (_, _, found) = try Self.locked(name, of: package, under: grant, transaction)
            try Self.check(found, isWanted)
            guard let tag = found else { throw Refusal.notFound("The tag '\(name)'") }
            try TagStore.remove(tag, by: grant.caller.subject, at: now, transaction)
            let version = try VersionStore.require(tag.version, in: grant.repo, of: grant.tenant, transaction)
            try Self.announce(
                "package.tag.removed", of: version, from: tag, to: nil, by: grant.caller, at: now, transaction)
            return tag
        }
    }

    /// The package's row locked, and the tag's.
    private static func locked(
        _ name: TagName, of package: PackageName, under grant: Grant, _ transaction: borrowing Transaction
    ) throws -> (Repository, PackageID, StoredTag?) {
        let repository = try RepositoryStore.require(grant.repo, of: grant.tenant, transaction)
        guard let id = try PackageStore.find(package, in: repository.id, transaction, lock: .forNoKeyUpdate) else {
            throw Refusal.notFound("Package '\(package.name)'")
        }
        return (repository, id, try TagStore.find(name.text, of: id, transaction, lock: .forUpdate))
    }

    private static func check(_ tag: StoredTag?, _ isWanted: (StoredTag?) -> Bool) throws(Refusal) {
        guard !isWanted(tag) else { return }
        throw Refusal(
            .preconditionFailed, tag == nil ? "There is no such tag." : "The tag was moved by another request.",
            ["revision": JSON(tag?.revision), "version": JSON(tag?.versionText)])
    }

    private static func checkTarget(_ version: PackageVersion, _ transaction: borrowing Transaction) throws {
        let quarantine = try QuarantineStore.status(of: version.id, transaction)
        switch Visibility.byCoordinate(version.state, quarantine) {
        case .visible: return
        case .absent:
            throw Refusal.conflict(
                "Version '\(version.coordinate.version)' is \(version.state.rawValue): a tag can't point at it.")
        case .withheld:
            throw Refusal.conflict("Version '\(version.coordinate.version)' is in quarantine: a tag can't point at it.")
        }
    }

    private static func announce(
        _ action: String, of version: PackageVersion, from former: StoredTag?, to tag: StoredTag?, by caller: Caller,
        at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        let name = former?.name ?? tag?.name ?? ""
        let announcement = Announcement(of: version)
        let audit = announcement.audit(
            action, ["tag": name, "from": former?.versionText ?? "", "to": tag?.versionText ?? ""], by: caller, at: now)
        let event = announcement.event(
            .tagMoved, id: UniqueID(at: now),
            [
                .init("tag", .string(name)), .init("fromVersion", JSON(former?.versionText)),
                .init("toVersion", JSON(tag?.versionText)), .init("revision", JSON(tag?.revision)),
            ], at: now)
        try transaction.execute(each: [audit] + event) { $0 }
        transaction.notify(EventLog.channel)
    }
}
