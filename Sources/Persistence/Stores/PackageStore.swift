// Packages. Rules: HTTP contract, 3.5; architecture, section 5.

package import Domain

package enum PackageStore {
    /// The package's row, created on first need, and locked: versions and tags of one package change one after another.
    package static func locked(
        _ name: PackageName, in repository: Repository, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> PackageID {
        if let id = try self.find(name, in: repository.id, transaction, lock: .forNoKeyUpdate) { return id }
        try transaction.execute(
            """
            INSERT INTO packages (package_id, tenant_id, repo_id, package_type, namespace, name, display_name, created_at)
            VALUES (\(PackageID(at: now)), \(repository.tenant), \(repository.id), \(name.type),
                \(name.namespace ?? ""), \(name.name), \(name.displayName), \(now))
            ON CONFLICT (repo_id, package_type, namespace, name) DO NOTHING
            """)
        guard let id = try self.find(name, in: repository.id, transaction, lock: .forNoKeyUpdate) else {
            throw DatabaseFault.contention("package \(name.name) was deleted meanwhile")
        }
        return id
    }

    package static func find(
        _ name: PackageName, in repository: RepoID, _ transaction: borrowing Transaction, lock: SQLClause? = nil
    ) throws -> PackageID? {
        try transaction.first(
            """
            SELECT package_id FROM packages WHERE repo_id = \(repository) AND package_type = \(name.type)
                AND namespace = \(name.namespace ?? "") AND name = \(name.name)
            \(lock ?? .noLock)
            """, as: { try $0[0] as PackageID })
    }

    /// Keeps the package's row until the transaction ends: its tags and versions stay as they are.
    package static func lock(_ id: PackageID, _ transaction: borrowing Transaction) throws {
        _ = try transaction.first(
            "SELECT package_id FROM packages WHERE package_id = \(id) \(.forNoKeyUpdate)",
            as: { try $0[0] as PackageID })
    }
}
