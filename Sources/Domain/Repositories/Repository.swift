// A repository as it is stored. Shape: HTTP contract, 3.3.

package typealias RepoID = Identifier<Repository>

package struct Repository: Hashable, Sendable {
    package let id: RepoID
    package let tenant: TenantID
    package let key: RepoKey
    package var kind: RepositoryKind
    /// The package format that it is for; nil for any.
    package let format: String?
    package var settings: RepositorySettings
    /// Grows with each change of settings, upstream or members: the basis of its entity tag.
    package var revision: Int
    package let createdAt: Timestamp
    package var updatedAt: Timestamp

    package init(
        id: RepoID, tenant: TenantID, key: RepoKey, kind: RepositoryKind, format: String?,
        settings: RepositorySettings, revision: Int, createdAt: Timestamp, updatedAt: Timestamp
    ) {
        self.id = id
        self.tenant = tenant
        self.key = key
        self.kind = kind
        self.format = format
        self.settings = settings
        self.revision = revision
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}
