// A version as it is stored, and the draft that alone may change. Rules: HTTP contract, 3.5 and 6.1; architecture, I2.

package typealias VersionID = Identifier<PackageVersion>

package struct PackageVersion: Hashable, Sendable {
    package let id: VersionID
    package let repository: Repository
    /// Nil for a row that foreign SQL made.
    package let package: PackageID?
    package let coordinate: Coordinate
    package let state: VersionState
    package let sealing: Sealing
    /// Grows with each change of entries or manifest.
    package let contentRevision: Int
    package let createdAt: Timestamp
    package let publishedAt: Timestamp?

    package init(
        id: VersionID, repository: Repository, package: PackageID?, coordinate: Coordinate, state: VersionState,
        sealing: Sealing, contentRevision: Int, createdAt: Timestamp, publishedAt: Timestamp?
    ) {
        self.id = id
        self.repository = repository
        self.package = package
        self.coordinate = coordinate
        self.state = state
        self.sealing = sealing
        self.contentRevision = contentRevision
        self.createdAt = createdAt
        self.publishedAt = publishedAt
    }

    /// The version as something that may change.
    ///
    /// - Precondition: its row is locked.
    /// - Throws: `conflict` where it is published or tombstoned.
    package func draft() throws(Refusal) -> Draft {
        _ = try self.state.after(.edit)
        return Draft(self)
    }

    fileprivate func with(state: VersionState, publishedAt: Timestamp?) -> PackageVersion {
        PackageVersion(
            id: self.id, repository: self.repository, package: self.package, coordinate: self.coordinate, state: state,
            sealing: self.sealing, contentRevision: self.contentRevision, createdAt: self.createdAt,
            publishedAt: publishedAt)
    }
}

/// A version whose row is locked and whose state is `draft`. Whatever writes content takes one, and only
/// ``PackageVersion/draft()`` makes one: a published version cannot be handed to it.
package struct Draft: Hashable, Sendable {
    package let version: PackageVersion

    fileprivate init(_ version: PackageVersion) { self.version = version }

    package var id: VersionID { self.version.id }

    /// The version once it is published: no draft any more.
    package func published(at time: Timestamp) throws(Refusal) -> PackageVersion {
        self.version.with(state: try self.version.state.after(.publish), publishedAt: time)
    }
}

/// One file of a version.
package struct ArtifactEntry: Hashable, Sendable {
    package let path: RelativePath
    package let digest: BlobDigest
    /// In bytes.
    package let length: Int
    /// Lower-case hexadecimal digits, as the publisher says.
    package let sha1: String?
    package let contentType: String?

    package init(
        path: RelativePath, digest: BlobDigest, length: Int, sha1: String? = nil, contentType: String? = nil
    ) {
        self.path = path
        self.digest = digest
        self.length = length
        self.sha1 = sha1
        self.contentType = contentType
    }
}
