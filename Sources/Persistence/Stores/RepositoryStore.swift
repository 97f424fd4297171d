// Repositories. Shape: HTTP contract, 3.3 and 8.2.

package import Domain

package enum RepositoryStore {
    private static let columns: SQL =
        """
        repo_id, tenant_id, repo_key, repo_type, config, format, settings, revision, created_at, updated_at
        """

    package static func insert(
        _ repository: Repository, by subject: Subject, _ transaction: borrowing Transaction
    ) throws -> Bool {
        try transaction.execute(
            """
            INSERT INTO repos (repo_id, tenant_id, repo_key, repo_type, config, format, settings, revision, created_at,
                updated_at, created_by_subject)
            VALUES (\(repository.id), \(repository.tenant), \(repository.key), \(repository.kind.name),
                \(self.config(of: repository.kind)), \(repository.format), \(repository.settings.json),
                \(repository.revision), \(repository.createdAt), \(repository.updatedAt), \(subject))
            ON CONFLICT (tenant_id, repo_key) DO NOTHING
            """) > 0
    }

    package static func find(
        _ key: RepoKey, of tenant: TenantID, _ transaction: borrowing Transaction, lock: SQLClause? = nil
    ) throws -> Repository? {
        try transaction.first(
            """
            SELECT \(self.columns) FROM repos WHERE tenant_id = \(tenant) AND repo_key = \(key)
            \(lock ?? .noLock)
            """, as: self.repository(row:))
    }

    /// - Parameter lock: keeps it, or keeps it as it is, until the transaction ends.
    /// - Throws: `not_found`.
    package static func require(
        _ key: RepoKey, of tenant: TenantID, _ transaction: borrowing Transaction, lock: SQLClause? = nil
    ) throws -> Repository {
        guard let found = try self.find(key, of: tenant, transaction, lock: lock) else {
            throw Refusal.notFound("Repository '\(key)'")
        }
        return found
    }

    /// Those of the keys that name a repository of the tenant.
    package static func existing(
        _ keys: [RepoKey], of tenant: TenantID, _ transaction: borrowing Transaction
    ) throws -> Set<RepoKey> {
        if keys.isEmpty { return [] }
        return Set(
            try transaction.all(
                "SELECT repo_key FROM repos WHERE tenant_id = \(tenant) AND repo_key \(.isOneOf(keys.map(\.text)))",
                as: { try $0[0] as RepoKey }))
    }

    /// Every repository of the tenant, by key.
    package static func list(_ tenant: TenantID, _ transaction: borrowing Transaction) throws -> [Repository] {
        try transaction.all(
            "SELECT \(self.columns) FROM repos WHERE tenant_id = \(tenant) ORDER BY repo_key",
            as: self.repository(row:))
    }

    /// Replaces kind (of the same name), settings and revision.
    package static func update(_ repository: Repository, _ transaction: borrowing Transaction) throws {
        try transaction.execute(
            """
            UPDATE repos SET config = \(self.config(of: repository.kind)), settings = \(repository.settings.json),
                revision = \(repository.revision), updated_at = \(repository.updatedAt)
            WHERE repo_id = \(repository.id)
            """)
    }

    package static func holdsPackages(_ id: RepoID, _ transaction: borrowing Transaction) throws -> Bool {
        try transaction.first("SELECT 1 FROM packages WHERE repo_id = \(id) LIMIT 1", as: { _ in true }) ?? false
    }

    package static func delete(_ id: RepoID, _ transaction: borrowing Transaction) throws {
        try transaction.execute("DELETE FROM repos WHERE repo_id = \(id)")
    }

    static func config(of kind: RepositoryKind) -> JSON {
        switch kind {
        case .local: [:]
        case .remote(let upstream): ["upstreamUrl": .string(upstream)]
        case .virtual(let members): ["memberRepos": JSON(members.map(\.text))]
        }
    }

    package static func kind(type: String, config: JSON) throws(DatabaseFault) -> RepositoryKind {
        switch type {
        case "local": return .local
        case "remote": return .remote(upstream: config["upstreamUrl"]?.text ?? "")
        case "virtual":
            let members = (config["memberRepos"]?.elements ?? []).compactMap(\.text)
            return .virtual(members: members.compactMap { try? RepoKey(parsing: $0) })
        default: throw .unreadable("repo_type \(type)")
        }
    }

    /// Settings that no longer read as such count as the defaults: the strictest ones.
    package static func settings(_ document: JSON) -> RepositorySettings {
        (try? RepositorySettings(parsing: document)) ?? RepositorySettings()
    }

    private static func repository(row: borrowing Row) throws -> Repository {
        Repository(
            id: try row[0], tenant: try row[1], key: try row[2],
            kind: try self.kind(type: try row[3] as String, config: try row[4] as JSON), format: try row[5],
            settings: self.settings(try row[6] as JSON), revision: try row[7], createdAt: try row[8],
            updatedAt: try row[9])
    }
}
