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
    package static let packageType = GenericFormat().type
    package static let headTag = "head"

    private let guarded: GuardedPublish
    private let gate: any PublishGate
    private let deduplication: Deduplication
    private let quota: StorageQuota
    private let clock: WallClock
    private let defaultRetentionDays: Int

    package init(
        database: any Database, gate: any PublishGate, deduplication: Deduplication, quota: StorageQuota,
        clock: WallClock, defaultRetentionDays: Int
    ) {
        self.guarded = GuardedPublish(gate: gate, database: database, clock: clock)
        self.deduplication = deduplication
        self.gate = gate
        self.quota = quota
        self.clock = clock
        self.defaultRetentionDays = defaultRetentionDays
    }

    static func name(of path: RelativePath) -> PackageName { PackageName(type: Self.packageType, name: path.text) }

    /// The path of the file that a package's tag shows; nil if it is not a file's tag.
    static func path(of package: PackageName, at tag: TagName) -> RelativePath? {
        guard package.type == Self.packageType, package.namespace == nil, tag.text == Self.headTag else { return nil }
        return try? RelativePath(parsing: package.name)
    }

    static func coordinate(of path: RelativePath, revision: Int) -> Coordinate {
        Coordinate(
            Self.name(of: path), version: String(revision), sortKey: GenericFormat.sortKey(revision: revision))
    }

    /// Publishes received bytes as the path's next revision: all of it or nothing.
    ///
    /// - Throws: `not_found`; `forbidden` where the repository asks for more than the grant; `conflict` where the
    ///   repository takes no files, the path was published before and may not be overwritten, or it is a folder or
    ///   inside a file; `confusable_name`; `precondition_failed`; `too_many_requests` over the tenant's quota;
    ///   `policy_denied`, `policy_timeout`.
    package func publish(
        _ received: Received, at path: RelativePath, contentType: String?, if condition: WriteCondition,
        under grant: Grant, commit: Commit<FilePublication>
    ) async throws -> FilePublication {
        let entry = ArtifactEntry(
            path: path, digest: received.digest, length: received.length, sha1: received.checksums.sha1,
            contentType: contentType)
        let manifest: JSON = ["path": .string(path.text), "contentType": JSON(contentType)]
        let candidate = PublishCandidate(
            .whole(
                Coordinate(Self.name(of: path), version: "", sortKey: []), entries: [entry], manifest: manifest),
            under: grant)
        return try await self.guarded.run([candidate], by: grant.caller) { verdicts in
            try await self.deduplication.run(admitting: received.key) { inspection in
                try await commit { [gate, quota, now = self.clock.now()] transaction in
                    let repository = try Self.writable(under: grant, transaction)
                    let package = try PackageStore.locked(Self.name(of: path), in: repository, at: now, transaction)
                    let head = try TagStore.locked(Self.headTag, of: package, transaction)
                    let latest = try VersionStore.latest(of: package, transaction)?.version
                    try Self.check(condition, against: head, transaction)
                    if let latest, !repository.settings.overwrite {
                        throw try Self.taken(path, latest, head, transaction)
                    }
                    if head == nil { try FilePaths.claim(path, in: repository.id, transaction) }
                    let revision = try Self.revision(after: latest, at: path, in: repository, transaction)
                    let draft = try VersionStore.insertDraft(
                        Self.coordinate(of: path, revision: revision), of: package, in: repository, sealing: .sealed,
                        by: grant.caller.subject, at: now, transaction)
                    let blob = try Deduplication.admit(
                        received.digest, length: received.length, key: received.key, checksums: received.checksums,
                        after: inspection, by: grant.caller, at: now, transaction)
                    try VersionContentStore.put([entry], into: draft, isCharged: true, at: now, transaction)
                    try VersionContentStore.put(manifest, into: draft, isCharged: true, at: now, transaction)
                    try TagStore.point(
                        Self.headTag, of: package, to: draft.id, from: head, by: grant.caller.subject, at: now,
                        transaction)
                    try quota.enforce(for: grant.tenant, transaction)
                    _ = try Completion.publish(
                        [(draft, verdicts[0])], through: gate, by: grant.caller, at: now, transaction)
                    return FilePublication(
                        version: draft.id, revision: revision, replaced: head != nil, blob: blob, publishedAt: now)
                }
            }
        }
    }

    /// The next revision that was never published here. Deleted ones count, unless nothing may be overwritten: then a
    /// path whose file was deleted for good stays retired.
    static func revision(
        after latest: String?, at path: RelativePath, in repository: Repository, _ transaction: borrowing Transaction
    ) throws -> Int {
        let present = latest.flatMap { Int($0) } ?? 0
        guard repository.settings.overwrite else { return present + 1 }
        let retired = try RetiredCoordinateStore.versions(of: Self.name(of: path), in: repository.id, transaction)
        return max(present, retired.compactMap { Int($0) }.max() ?? 0) + 1
    }

    /// Tombstones the path's current revision and takes `head` away.
    ///
    /// - Throws: `not_found`; `forbidden`; `precondition_failed`; `artifact_protected`.
    package func delete(
        _ path: RelativePath, if condition: WriteCondition, under grant: Grant, commit: Commit<VersionID>
    ) async throws -> VersionID {
        try await commit { [now = self.clock.now(), defaultRetentionDays] transaction in
            transaction.allowReserve()
            let repository = try Self.writable(under: grant, transaction)
            guard
                let package = try PackageStore.find(
                    Self.name(of: path), in: repository.id, transaction, lock: .forNoKeyUpdate),
                let head = try TagStore.locked(Self.headTag, of: package, transaction)
            else {
                if try FilePaths.isFolder(path.text, in: repository.id, transaction) {
                    throw Refusal(
                        .notFound, "'\(path)' is a folder: folders cannot be deleted. Delete the files in it.")
                }
                throw Refusal.notFound("The path '\(path)'")
            }
            try Self.check(condition, against: head, transaction)
            let version = try VersionStore.require(
                head, in: grant.repo, of: grant.tenant, locked: true, transaction)
            try Tombstone(
                reason: "deleted", days: repository.settings.tombstoneRetentionDays ?? defaultRetentionDays
            ).put(on: version, by: grant.caller, at: now, transaction)
            return head
        }
    }

    /// Whether a publish at this path could succeed, asked before its bytes are sent: a refusal costs nothing then.
    ///
    /// - Parameter length: of the file, in bytes, if the client has announced it.
    /// - Returns: what is left of the tenant's quota.
    /// - Throws: as ``publish(_:at:contentType:if:under:commit:)``.
    package func probe(
        _ path: RelativePath, length: Int?, if condition: WriteCondition, under grant: Grant,
        in database: any Database
    ) async throws -> StorageAllowance {
        try await database.read { [quota] transaction in
            try Self.probe(path, if: condition, under: grant, transaction)
            let allowance = try quota.allowance(of: grant.tenant, transaction)
            try allowance.admit(Int64(length ?? 0))
            return allowance
        }
    }

    private static func probe(
        _ path: RelativePath, if condition: WriteCondition, under grant: Grant, _ transaction: borrowing Transaction
    ) throws {
        let repository = try Self.writable(under: grant, transaction)
        let package = try PackageStore.find(Self.name(of: path), in: repository.id, transaction)
        let latest = try package.flatMap { try VersionStore.latest(of: $0, transaction)?.version }
        let head = try package.flatMap { try TagStore.current(Self.headTag, of: $0, transaction) }
        try Self.check(condition, against: head, transaction)
        if package == nil { try PackageStore.refuseConfusable(Self.name(of: path), in: repository, transaction) }
        if let latest, !repository.settings.overwrite { throw try Self.taken(path, latest, head, transaction) }
        if head == nil { try FilePaths.check(path, in: repository.id, transaction) }
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
            let digest = try head.flatMap { try VersionContentStore.singleDigest(of: $0, transaction) }
            guard let digest, wanted.isEmpty || wanted.contains(digest) else {
                throw Refusal(
                    .preconditionFailed, "The path's content is another one.", ["digest": JSON(digest?.hex)])
            }
        }
    }

    /// - Returns: the refusal to publish over what is or was there, naming the present content.
    private static func taken(
        _ path: RelativePath, _ latest: String, _ head: VersionID?, _ transaction: borrowing Transaction
    ) throws -> Refusal {
        let digest = try head.flatMap { try VersionContentStore.singleDigest(of: $0, transaction) }
        let what = head == nil ? "was deleted after revision \(latest)" : "is published"
        return Refusal(
            .conflict,
            "'\(path)' \(what), and a published path never changes. Use another path, or set the repository's "
                + "\"overwrite\" to true.", ["digest": JSON(digest?.hex)])
    }
}
