// Packages. Rules: HTTP contract, 3.5; architecture, section 5.

package import Domain

package enum PackageStore {
    /// The package's row, created on first need, and locked: versions and tags of one package change one after another.
    package static func locked(
        _ name: PackageName, in repository: Repository, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> PackageID {
        if let id = try self.find(name, in: repository.id, transaction, lock: .forNoKeyUpdate) { return id }
        try self.refuseConfusable(name, in: repository, transaction)
        let id = PackageID(at: now)
        let variant: [UInt8] = repository.settings.allowConfusableNames ? Array(id.description.utf8) : []
        try transaction.execute(
            """
            INSERT INTO packages (package_id, tenant_id, repo_id, package_type, namespace, name, display_name, created_at,
                name_key, name_variant)
            VALUES (\(id), \(repository.tenant), \(repository.id), \(name.type), \(name.namespace ?? ""), \(name.name),
                \(name.displayName), \(now), \(try NameKey.key(of: name.parts)), \(variant))
            ON CONFLICT DO NOTHING
            """)
        guard let id = try self.find(name, in: repository.id, transaction, lock: .forNoKeyUpdate) else {
            // It was deleted at the same time, or another transaction has just made one that looks like it: the next attempt sees it.
            throw DatabaseFault.contention("package \(name.name) is being changed by another transaction")
        }
        return id
    }

    /// Refuses a new package whose name looks like that of another one of the repository.
    ///
    /// - Throws: `confusable_name`.
    package static func refuseConfusable(
        _ name: PackageName, in repository: Repository, _ transaction: borrowing Transaction
    ) throws {
        guard !repository.settings.allowConfusableNames, let key = try NameKey.key(of: name.parts) else { return }
        let present = try transaction.first(
            """
            SELECT namespace, name FROM packages WHERE repo_id = \(repository.id) AND name_key = \(key)
            ORDER BY name_variant LIMIT 1
            """, as: { (namespace: try $0[0] as String, name: try $0[1] as String) })
        guard let present else { return }
        throw Refusal.confusable(
            [name.namespace, name.name].compactMap(\.self).joined(separator: "/"),
            present.namespace.isEmpty ? present.name : "\(present.namespace)/\(present.name)",
            name.type.hasSameBytes(as: GenericFormat().type) ? "path" : "package name")
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

    /// A package in each of these repositories that has it, in the order of the repositories.
    package static func find(
        _ name: PackageName, in repositories: [RepoID], _ transaction: borrowing Transaction
    ) throws -> [PackageID] {
        guard repositories.count > 1 else {
            return try repositories.compactMap { try self.find(name, in: $0, transaction) }
        }
        let found = try transaction.all(
            """
            SELECT repo_id, package_id FROM packages WHERE repo_id \(.isOneOf(repositories))
                AND package_type = \(name.type) AND namespace = \(name.namespace ?? "") AND name = \(name.name)
            """, as: { (try $0[0] as RepoID, try $0[1] as PackageID) })
        let packages = Dictionary(found, uniquingKeysWith: { first, _ in first })
        return repositories.compactMap { packages[$0] }
    }

    /// Keeps the package's row until the transaction ends: its tags and versions stay as they are.
    package static func lock(_ id: PackageID, _ transaction: borrowing Transaction) throws {
        _ = try transaction.first(
            "SELECT package_id FROM packages WHERE package_id = \(id) \(.forNoKeyUpdate)",
            as: { try $0[0] as PackageID })
    }
}

extension PackageName {
    /// All that names it, in one text. No part has a line feed.
    fileprivate var parts: String { "\(self.type)\n\(self.namespace ?? "")\n\(self.name)" }
}
