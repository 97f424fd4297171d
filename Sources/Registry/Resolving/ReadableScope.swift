// What a caller may read of a repository: the repository itself, or the members of a virtual one that the caller may read,
// in order. Every read path takes a scope, so they all agree on who sees what.
//
// The first member that has a version, in a state that is neither draft nor tombstoned, decides: if it is in quarantine
// there, it is in quarantine here. A later member's version of the same name is never seen in its place.

package import Domain
package import Persistence

/// A repository with authorization to read it, and the members that are read through it.
package struct ReadableScope: Hashable, Sendable {
    package let id: RepoID
    package let key: RepoKey
    package let kind: RepositoryKind
    package let settings: RepositorySettings
    package let format: String?
    package let grant: Grant
    /// The repository itself, unless it is virtual; then its local members that the caller may read, in order.
    package let members: [RepositoryMember]

    /// - Parameter members: of a virtual repository, in order, readable or not.
    init(_ repository: AccessedRepository, _ grant: Grant, members: [RepositoryMember]) {
        self.id = repository.id
        self.key = repository.key
        self.kind = repository.kind
        self.settings = repository.settings
        self.format = repository.format
        self.grant = grant
        if case .virtual = repository.kind {
            self.members = members.filter { Self.isReadable($0, through: repository.settings, grant.caller) }
        } else {
            self.members = [
                RepositoryMember(id: repository.id, key: repository.key, settings: repository.settings)
            ]
        }
    }

    private static func isReadable(
        _ member: RepositoryMember, through settings: RepositorySettings, _ caller: Caller
    ) -> Bool {
        settings.membersReadable || member.settings.anonymousRead || caller.holds(.read, on: member.key)
    }

    /// Whether what a row says of a member is part of the scope.
    ///
    /// - Parameter member: nil for the repository itself.
    func includes(_ member: RepositoryMember?) -> Bool {
        guard let member else { return self.members.first?.id == self.id }
        return self.members.contains { $0.id == member.id }
    }

    /// The members before this one.
    func members(before index: Int) -> [RepoID] { self.members[..<index].map(\.id) }

    // MARK: - Authorization

    /// - Throws: `unauthorized` if the credential is invalid, or absent and needed; `forbidden`; `not_found` for the
    ///   repository.
    init(
        _ access: Access, _ members: [RepositoryMember], of key: RepoKey, for credential: Credential,
        _ defaultTenant: TenantID, correlation: UniqueID
    ) throws {
        let allowsAnyone = access.repository?.settings.anonymousRead ?? false
        let caller: Caller
        if let token = access.token {
            caller = token.caller(correlation: correlation)
        } else {
            guard credential == .none, allowsAnyone else { throw Refusal.unauthenticated }
            caller = .anonymous(in: defaultTenant, correlation: correlation)
        }
        let grant = try caller.readGrant(on: key, anonymousRead: allowsAnyone)
        guard let repository = access.repository else { throw Refusal.notFound("Repository '\(key)'") }
        self.init(repository, grant, members: members)
    }

    /// The scope of a repository for which the caller is authorized already.
    ///
    /// - Throws: `not_found`.
    package static func find(
        under grant: Grant, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> ReadableScope {
        let (access, members) = try AccessStore.find(nil, grant.repo, grant.tenant, at: now, transaction)
        guard let repository = access.repository else { throw Refusal.notFound("Repository '\(grant.repo)'") }
        return ReadableScope(repository, grant, members: members)
    }

    // MARK: - What the members have

    /// A package in each member that has it, in order.
    ///
    /// - Throws: `not_found` if none has.
    func packages(_ name: PackageName, _ transaction: borrowing Transaction) throws -> [PackageID] {
        let found = try PackageStore.find(name, in: self.members.map(\.id), transaction)
        guard !found.isEmpty else { throw Refusal.notFound("Package '\(name.name)'") }
        return found
    }

    /// A version of a member, in whatever state.
    ///
    /// - Throws: `not_found`.
    func version(_ id: VersionID, _ transaction: borrowing Transaction) throws -> PackageVersion {
        guard let version = try VersionStore.find(id, of: self.grant.tenant, transaction),
            self.members.contains(where: { $0.id == version.repository.id })
        else { throw Refusal.notFound("The package version") }
        return version
    }
}
