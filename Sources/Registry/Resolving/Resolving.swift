// The one way to read what is published: token → scope → version → bytes, in one statement. Every read path goes
// through here, so what one of them hides, all of them hide.

package import Domain
package import Persistence
package import Threads

/// A file that the caller may have.
package struct ResolvedFile: Hashable, Sendable {
    package let version: VersionID
    package let path: RelativePath
    package let digest: BlobDigest
    /// In bytes.
    package let length: Int
    package let storageKey: StorageKey
    package let checksums: Checksums
    package let contentType: String?
    package let publishedAt: Timestamp
    package let settings: RepositorySettings
    package let derivation = Derivation()
}

/// Which version of a package is asked for, and which of its files.
package struct FileRequest: Hashable, Sendable {
    package enum Selector: Hashable, Sendable {
        case tag(Name)
        case version(Name)
    }

    package let package: PackageName
    package let selector: Selector
    /// Nil for the only one.
    package let path: RelativePath?

    package init(_ package: PackageName, _ selector: Selector, path: RelativePath? = nil) {
        self.package = package
        self.selector = selector
        self.path = path
    }

    /// A file of a generic repository.
    package init(generic path: RelativePath) {
        self.init(FilePublishing.name(of: path), .tag(Name(FilePublishing.headTag)))
    }
}

package struct Resolving: Sendable {
    let database: any Database
    let clock: WallClock
    /// Whose repositories a request without a token means.
    let defaultTenant: TenantID
    let uses: TokenUses?
    private let cache = ResolvedFileCache()

    package init(database: any Database, clock: WallClock, defaultTenant: TenantID, uses: TokenUses? = nil) {
        self.database = database
        self.clock = clock
        self.defaultTenant = defaultTenant
        self.uses = uses
    }

    /// - Throws: `unauthorized`, `forbidden`; `not_found` for the repository or the file; `quarantined_blob`.
    package func file(
        _ request: FileRequest, in key: RepoKey, for credential: Credential, correlation: UniqueID
    ) async throws -> ResolvedFile {
        let now = self.clock.now()
        let (cached, generation) = (
            ResolvedFileCache.Key(request: request, repo: key, credential: credential), self.database.generation
        )
        if let generation, let entry = self.cache.entry(cached, at: generation, now: now) {
            if let token = entry.token { self.uses?.note(token) }
            return entry.file
        }
        let statement: SQL = """
            SELECT \(AccessStore.columns), v.version_id, v.state, v.published_at, q.status, e.relative_path, e.size_bytes,
                e.content_type, b.digest, b.length_bytes, b.storage_key, b.md5, b.sha1, b.sha512, b.blocked_at
            FROM \(AccessStore.source(credential.hash, key, self.defaultTenant, at: now))
            LEFT JOIN packages p ON p.repo_id = \(AccessStore.member) AND p.package_type = \(request.package.type)
                AND p.namespace = \(request.package.namespace ?? "") AND p.name = \(request.package.name)
            \(request.versionJoin)
            LEFT JOIN quarantine_items q ON q.version_id = v.version_id
            LEFT JOIN artifact_entries e ON e.version_id = v.version_id \(request.entryCondition)
            LEFT JOIN blobs b ON b.digest = e.blob_digest AND b.state <> 'deleting'
            """
        let (access, rows) = try await self.database.lookup { transaction in
            try AccessStore.rows(statement, transaction, as: { try FileRow($0) })
        }
        if let token = access.token { self.uses?.note(token.id) }
        let scope = try ReadableScope(
            access, rows.compactMap(\.member), of: key, for: credential, self.defaultTenant, correlation: correlation)
        // The first member that has the version decides, also if it withholds it.
        guard let file = rows.first(where: { $0.value.state == .published && scope.includes($0.member) })?.value else {
            throw Refusal.notFound("The file")
        }
        let visible = try file.visible(in: scope)
        if let generation {
            let entry = ResolvedFileCache.Entry(
                file: visible, token: access.token?.id, expiresAt: access.token?.expiresAt)
            self.cache.keep(entry, for: cached, at: generation)
        }
        return visible
    }

    /// What the caller that presents a credential may read of a repository.
    ///
    /// - Throws: `unauthorized`, `forbidden`, `not_found`.
    package func scope(
        of key: RepoKey, for credential: Credential, correlation: UniqueID
    ) async throws -> ReadableScope {
        let (hash, tenant, now) = (credential.hash, self.defaultTenant, self.clock.now())
        let (access, members) = try await self.database.lookup {
            try AccessStore.find(hash, key, tenant, at: now, $0)
        }
        if let token = access.token { self.uses?.note(token.id) }
        return try ReadableScope(
            access, members, of: key, for: credential, self.defaultTenant, correlation: correlation)
    }
}

extension FileRequest {
    fileprivate var versionJoin: SQL {
        switch self.selector {
        case .tag(let tag):
            """
            LEFT JOIN package_tags g ON g.package_id = p.package_id AND g.tag = \(tag)
            LEFT JOIN package_versions v ON v.version_id = g.version_id
            """
        case .version(let version):
            "LEFT JOIN package_versions v ON v.package_id = p.package_id AND v.version = \(version)"
        }
    }

    fileprivate var entryCondition: SQL {
        guard let path = self.path else {
            return """
                AND e.relative_path = (SELECT min(f.relative_path) FROM artifact_entries f
                    WHERE f.version_id = v.version_id)
                """
        }
        return "AND e.relative_path = \(path)"
    }
}

/// The columns after those of the access.
private struct FileRow {
    let version: VersionID?
    let state: VersionState?
    let publishedAt: Timestamp?
    let quarantine: QuarantineStatus?
    let path: RelativePath?
    let size: Int?
    let contentType: String?
    let digest: BlobDigest?
    let length: Int?
    let key: StorageKey?
    let checksums: Checksums
    let blockedAt: Timestamp?

    init(_ row: borrowing Row) throws {
        let start = AccessStore.count
        self.version = try row[start]
        self.state = try row[start + 1]
        self.publishedAt = try row[start + 2]
        self.quarantine = try row[start + 3]
        self.path = try row[start + 4]
        self.size = try row[start + 5]
        self.contentType = try row[start + 6]
        self.digest = try row[start + 7]
        self.length = try row[start + 8]
        self.key = try row[start + 9]
        self.checksums = Checksums(
            md5: try row[start + 10], sha1: try row[start + 11], sha512: try row[start + 12])
        self.blockedAt = try row[start + 13]
    }

    /// - Throws: `not_found`, `quarantined_blob`, `object_not_found`.
    func visible(in scope: ReadableScope) throws -> ResolvedFile {
        guard let version = self.version, let state = self.state, let publishedAt = self.publishedAt else {
            throw Refusal.notFound("The file")
        }
        switch Visibility.byCoordinate(state, self.quarantine) {
        case .absent: throw Refusal.notFound("The file")
        case .withheld: throw Refusal(.quarantinedBlob, "The version is in quarantine.")
        case .visible: break
        }
        guard let path = self.path else { throw Refusal.notFound("The file") }
        guard let digest = self.digest, let length = self.length, let key = self.key, length == self.size else {
            throw DatabaseFault.unreadable("the entry \(path) of \(version) has no blob of its size")
        }
        guard self.blockedAt == nil else {
            throw Refusal(.objectNotFound, "The stored bytes are damaged and are withheld until they are restored.")
        }
        return ResolvedFile(
            version: version, path: path, digest: digest, length: length, storageKey: key, checksums: self.checksums,
            contentType: self.contentType, publishedAt: publishedAt, settings: scope.settings)
    }
}
