// The members of virtual repositories, flattened (`repository_members`), and the graph that they follow from.

package import Domain

package enum RepositoryMemberStore {
    /// A repository as the graph of members sees it.
    package struct Node: Hashable, Sendable {
        package let id: RepoID
        package let key: RepoKey
        package let kind: RepositoryKind
        package let settings: RepositorySettings
    }

    /// Keeps others from changing members of the tenant's repositories until the transaction ends. To be called before a
    /// repository's row is locked.
    package static func lock(_ tenant: TenantID, _ transaction: borrowing Transaction) throws {
        _ = try transaction.first(
            "SELECT 1 FROM tenants WHERE tenant_id = \(tenant) \(.forNoKeyUpdate)", as: { _ in true })
    }

    /// Every repository of the tenant, by key.
    ///
    /// - Precondition: ``lock(_:_:)``, if members are changed by what is found.
    package static func nodes(
        in tenant: TenantID, _ transaction: borrowing Transaction
    ) throws -> [RepoKey: Node] {
        let nodes = try transaction.all(
            "SELECT repo_id, repo_key, repo_type, config, settings FROM repos WHERE tenant_id = \(tenant)"
        ) { row in
            Node(
                id: try row[0], key: try row[1], kind: try RepositoryStore.kind(type: try row[2], config: try row[3]),
                settings: RepositoryStore.settings(try row[4]))
        }
        return Dictionary(nodes.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Replaces what a virtual repository reads.
    package static func replace(
        membersOf repository: RepoID, with members: [RepoID], _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute("DELETE FROM repository_members WHERE repo_id = \(repository)")
        try transaction.execute(each: members.enumerated()) { ordinal, member in
            """
            INSERT INTO repository_members (repo_id, ordinal, member_id) VALUES (\(repository), \(ordinal), \(member))
            """
        }
    }
}
