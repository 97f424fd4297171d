// Which repositories a virtual repository reads, and who may decide it. An administrator of a virtual repository cannot
// grant what belongs to others: adding a member needs the role `admin` on it, and so do reading members through the
// virtual repository (`membersReadable`) and publishing through it (`deployTo`).

import Domain
import Persistence

/// The members of a tenant's virtual repositories, kept from other changes until the transaction ends.
struct Membership {
    private let nodes: [RepoKey: RepositoryMemberStore.Node]
    private var graph: MemberGraph

    /// To be called before a repository's row is locked.
    init(of tenant: TenantID, _ transaction: borrowing Transaction) throws {
        try RepositoryMemberStore.lock(tenant, transaction)
        self.nodes = try RepositoryMemberStore.nodes(in: tenant, transaction)
        self.graph = MemberGraph(self.nodes.mapValues(\.kind.members))
    }

    /// Gives a virtual repository members and settings, in this value only: ``store(_:_:)`` writes them.
    ///
    /// - Throws: as ``MemberGraph/check(_:madeOf:)``; `bad_request` if `deployTo` is not a local member; `forbidden` if the
    ///   caller is not an administrator of a member that the change concerns.
    mutating func change(
        _ key: RepoKey, to kind: RepositoryKind, _ settings: RepositorySettings, by caller: Caller
    ) throws(Refusal) {
        try self.graph.check(key, madeOf: kind.members)
        let before = self.nodes[key]
        let former = Set(self.localMembers(of: key))
        self.graph = self.graph.replacing(key, madeOf: kind.members)
        let present = self.localMembers(of: key)
        var concerned = kind.members.filter { before?.kind.members.contains($0) != true }
        if settings.membersReadable, before?.settings.membersReadable != true {
            concerned += present
        } else if settings.membersReadable || self.isReadThroughOthers(key) {
            concerned += present.filter { !former.contains($0) }
        }
        if let target = settings.deployTo {
            guard present.contains(target) else {
                throw .badRequest("settings.deployTo names '\(target)', which is not a local member of '\(key)'.")
            }
            if before?.settings.deployTo != target { concerned.append(target) }
        }
        for member in concerned { _ = try caller.grant(.admin, on: member) }
    }

    /// Whether a virtual repository around this one lets its own readers read all its members.
    private func isReadThroughOthers(_ key: RepoKey) -> Bool {
        self.graph.containers(of: key).contains { self.nodes[$0]?.settings.membersReadable == true }
    }

    /// Takes a repository out.
    ///
    /// - Returns: the virtual repositories around it, by key.
    mutating func remove(_ key: RepoKey) -> [RepoKey] {
        let containers = self.graph.containers(of: key)
        self.graph = self.graph.removing(key)
        return containers
    }

    /// Writes what a virtual repository, and those around it, read now.
    func store(_ repository: Repository, _ transaction: borrowing Transaction) throws {
        try self.store(repository.key, repository.id, transaction)
        for container in self.graph.containers(of: repository.key) {
            guard let id = self.nodes[container]?.id else { continue }
            try self.store(container, id, transaction)
        }
    }

    private func store(_ key: RepoKey, _ id: RepoID, _ transaction: borrowing Transaction) throws {
        let members = self.localMembers(of: key).compactMap { self.nodes[$0]?.id }
        try RepositoryMemberStore.replace(membersOf: id, with: members, transaction)
    }

    /// Flattened, in order.
    private func localMembers(of key: RepoKey) -> [RepoKey] {
        self.graph.leaves(of: key).filter { self.nodes[$0]?.kind == .local }
    }
}
