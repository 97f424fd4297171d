// What a policy looks at.

/// A version to be published, or to be promoted into another repository.
package struct PolicyCandidate: Hashable, Sendable {
    package let action: PolicyAction
    /// Where it is to be published.
    package let repo: RepoKey
    /// Where it comes from, for a promotion.
    package let source: RepoKey?
    /// Nil where it is made and published in one step.
    package let version: VersionID?
    package let coordinate: Coordinate
    package let manifest: JSON
    package let files: PolicyFiles
    /// Those predicate types, of the ones that rules ask for, that a trusted key has signed for every file.
    package let attested: Set<Name>
    package let caller: Caller

    package init(
        action: PolicyAction, repo: RepoKey, source: RepoKey?, version: VersionID?, coordinate: Coordinate,
        manifest: JSON, files: PolicyFiles, attested: Set<Name>, caller: Caller
    ) {
        self.action = action
        self.repo = repo
        self.source = source
        self.version = version
        self.coordinate = coordinate
        self.manifest = manifest
        self.files = files
        self.attested = attested
        self.caller = caller
    }
}

/// What rules have to know of a version's files, however many they are.
package struct PolicyFiles: Hashable, Sendable {
    /// How many of them are sent to a policy server.
    package static let listLimit = 1000

    package let count: Int
    /// In bytes.
    package let totalLength: Int
    package let largest: ArtifactEntry?
    /// The first whose SHA-1 its publisher did not give.
    package let firstWithoutSHA1: RelativePath?
    /// The first ones by path, at most ``listLimit``.
    package let first: [ArtifactEntry]

    package init(
        count: Int, totalLength: Int, largest: ArtifactEntry?, firstWithoutSHA1: RelativePath?, first: [ArtifactEntry]
    ) {
        self.count = count
        self.totalLength = totalLength
        self.largest = largest
        self.firstWithoutSHA1 = firstWithoutSHA1
        self.first = first
    }

    /// - Parameter entries: all of them.
    package init(_ entries: [ArtifactEntry]) {
        let sorted = entries.sorted { $0.path < $1.path }
        self.init(
            count: entries.count, totalLength: entries.reduce(0) { $0 + $1.length },
            largest: sorted.max { $0.length < $1.length },
            firstWithoutSHA1: sorted.first { $0.sha1 == nil }?.path, first: Array(sorted.prefix(Self.listLimit)))
    }
}
