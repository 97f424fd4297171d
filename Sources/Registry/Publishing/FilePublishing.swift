// Files by path: the generic repository. A path is a package, each of its contents a version (revision 1, 2, …), and
// the tag `head` points at the current one. Source: architecture, section 5 (Generic); HTTP contract, section 9, rows
// 25 and 28.

package import Domain
package import Persistence
package import Threads

/// What a writer asks of the path's present content.
package enum WriteCondition: Hashable, Sendable {
    case none
    /// `If-None-Match: *`: nothing may be there.
    case absent
    /// `If-Match`: it must be one of these, or anything for an empty list (`*`).
    case present([BlobDigest])
}

package struct FilePublication: Hashable, Sendable {
    package let version: VersionID
    package let revision: Int
    /// Whether the path had a content before.
    package let replaced: Bool
    package let blob: Blob
    package let publishedAt: Timestamp
}

package struct FilePublishing: Sendable {
    package static let packageType = "generic"
    package static let headTag = "head"

    private let clock: WallClock
    private let defaultRetentionDays: Int

    package init(clock: WallClock, defaultRetentionDays: Int) {
        (self.clock, self.defaultRetentionDays) = (clock, defaultRetentionDays)
    }

    static func name(of path: RelativePath) -> PackageName { PackageName(type: Self.packageType, name: path.text) }

    /// Publishes received bytes as the path's next revision: all of it or nothing.
    ///
    /// - Throws: `not_found`; `forbidden` where the repository asks for more than the grant; `conflict` where the
    ///   repository takes no files, or the path was published before and may not be overwritten;
    ///   `precondition_failed`.
    package func publish(
        _ received: Received, at path: RelativePath, contentType: String?, if condition: WriteCondition,
        under grant: Grant, commit: Commit<FilePublication>
    ) async throws -> FilePublication {
        try await commit { [now = self.clock.now()] transaction in
            let repository = try Self.writable(under: grant, transaction)
            let package = try PackageStore.locked(Self.name(of: path), in: repository, at: now, transaction)
            let head = try TagStore.locked(Self.headTag, of: package, transaction)
            let latest = try VersionStore.latest(of: package, transaction)
            try Self.check(condition, against: head, transaction)
            if let latest, !repository.settings.overwrite { throw try Self.taken(path, latest, head, transaction) }
            let blob = try BlobStore.admit(
                received.digest, length: received.length, key: received.key, checksums: received.checksums, at: now,
                transaction)
            let revision = (latest.flatMap { Int($0.version) } ?? 0) + 1
            let version = VersionID(at: now)
            let coordinate = Coordinate(
                Self.name(of: path), version: String(revision), sortKey: Self.sortKey(of: revision))
            try VersionStore.insertDraft(
                version, of: package, in: repository, version: coordinate.version, sortKey: coordinate.sortKey,
                sealing: .sealed, by: grant.caller.subject, at: now, transaction)
            try VersionStore.insertEntry(path, blob, contentType: contentType, of: version, at: now, transaction)
            try VersionStore.insertManifest(
                ["path": .string(path.text), "contentType": JSON(contentType)], of: version, at: now, transaction)
            try VersionStore.publish(version, by: grant.caller.subject, at: now, transaction)
            try TagStore.point(
                Self.headTag, of: package, to: version, from: head, by: grant.caller.subject, at: now, transaction)
            try Announcement(repository: repository, package: package, version: version, coordinate: coordinate)
                .published(by: grant.caller, at: now, transaction)
            return FilePublication(
                version: version, revision: revision, replaced: head != nil, blob: blob, publishedAt: now)
        }
    }

    /// Tombstones the path's current revision and takes `head` away.
    ///
    /// - Throws: `not_found`; `forbidden`; `precondition_failed`.
    package func delete(
        _ path: RelativePath, if condition: WriteCondition, under grant: Grant, commit: Commit<VersionID>
    ) async throws -> VersionID {
        try await commit { [now = self.clock.now(), defaultRetentionDays] transaction in
            let repository = try Self.writable(under: grant, transaction)
            guard
                let package = try PackageStore.find(
                    Self.name(of: path), in: repository.id, transaction, lock: .forNoKeyUpdate),
                let head = try TagStore.locked(Self.headTag, of: package, transaction),
                let latest = try VersionStore.latest(of: package, transaction)
            else { throw Refusal.notFound("The path '\(path)'") }
            try Self.check(condition, against: head, transaction)
            let days = repository.settings.tombstoneRetentionDays ?? defaultRetentionDays
            try TagStore.remove(Self.headTag, of: package, from: head, by: grant.caller.subject, at: now, transaction)
            try VersionStore.tombstone(
                head, tenant: repository.tenant, reason: "deleted", until: now + Int64(days) * 86400,
                by: grant.caller.subject, at: now, transaction)
            let coordinate = Coordinate(
                Self.name(of: path), version: latest.version, sortKey: Self.sortKey(of: Int(latest.version) ?? 0))
            try Announcement(repository: repository, package: package, version: head, coordinate: coordinate)
                .tombstoned(
                    reason: "deleted", retentionDays: days, by: grant.caller, at: now, transaction)
            return head
        }
    }

    /// Whether a publish at this path could succeed, asked before its bytes are sent: a refusal costs nothing then.
    ///
    /// - Throws: as ``publish(_:at:contentType:if:under:commit:)``.
    package func probe(
        _ path: RelativePath, if condition: WriteCondition, under grant: Grant, in database: any Database
    ) async throws {
        try await database.read { transaction in
            let repository = try Self.writable(under: grant, transaction)
            guard let package = try PackageStore.find(Self.name(of: path), in: repository.id, transaction),
                let latest = try VersionStore.latest(of: package, transaction)
            else { return try Self.check(condition, against: nil, transaction) }
            let head = try TagStore.current(Self.headTag, of: package, transaction)
            try Self.check(condition, against: head, transaction)
            if !repository.settings.overwrite { throw try Self.taken(path, latest, head, transaction) }
        }
    }

    /// The repository, kept until the transaction ends, where it takes files from this caller.
    private static func writable(
        under grant: Grant, _ transaction: borrowing Transaction
    ) throws -> Repository {
        let repository = try RepositoryStore.require(grant.repo, of: grant.tenant, transaction)
        guard repository.kind == .local else {
            throw Refusal.conflict("Repository '\(grant.repo)' is \(repository.kind.name): it takes no files.")
        }
        guard repository.format == nil || repository.format == Self.packageType else {
            throw Refusal.conflict("Repository '\(grant.repo)' is for the format '\(repository.format ?? "")'.")
        }
        if repository.settings.publishRole == .promote { _ = try grant.caller.grant(.promote, on: grant.repo) }
        return repository
    }

    private static func check(
        _ condition: WriteCondition, against head: VersionID?, _ transaction: borrowing Transaction
    ) throws {
        switch condition {
        case .none: return
        case .absent:
            guard head == nil else { throw Refusal(.preconditionFailed, "The path has a content already.") }
        case .present(let wanted):
            let digest = try head.flatMap { try VersionStore.singleDigest(of: $0, transaction) }
            guard let digest, wanted.isEmpty || wanted.contains(digest) else {
                throw Refusal(
                    .preconditionFailed, "The path's content is another one.", ["digest": JSON(digest?.hex)])
            }
        }
    }

    /// - Returns: the refusal to publish over what is or was there, naming the present content.
    private static func taken(
        _ path: RelativePath, _ latest: VersionRow, _ head: VersionID?, _ transaction: borrowing Transaction
    ) throws -> Refusal {
        let digest = try head.flatMap { try VersionStore.singleDigest(of: $0, transaction) }
        let what = head == nil ? "was deleted after revision \(latest.version)" : "is published"
        return Refusal(
            .conflict,
            "'\(path)' \(what), and a published path never changes. Use another path, or set the repository's "
                + "\"overwrite\" to true.", ["digest": JSON(digest?.hex)])
    }

    /// Eight bytes, big-endian: bytes in the order of revisions.
    static func sortKey(of revision: Int) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: revision >> (56 - 8 * $0)) }
    }
}
