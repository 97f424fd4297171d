// Versions that are published together: all of them in one transaction, or none.

package enum Release {}
package typealias ReleaseID = Identifier<Release>

/// Which drafts are to be published together.
package struct ReleaseSet: Hashable, Sendable {
    /// The most versions in one set: their rows are locked at the same time.
    package static let limit = 100
    /// In bytes of UTF-8.
    private static let nameLimit = 200

    /// For people; nil for none.
    package let name: String?
    /// In the order of the request.
    package let versions: [VersionID]

    /// - Throws: `bad_request` for none or too many versions, one that comes twice, or an unfit name.
    package init(name: String?, versions: [VersionID]) throws(Refusal) {
        guard (1...Self.limit).contains(versions.count) else {
            throw .badRequest("versionIds must have 1 to \(Self.limit) versions.")
        }
        var seen: Set<VersionID> = []
        for version in versions where !seen.insert(version).inserted {
            throw .badRequest("Duplicate versionId '\(version)' in versionIds.")
        }
        if let name, name.utf8.count > Self.nameLimit || name.hasControlCharacter {
            throw .badRequest("name must have at most \(Self.nameLimit) bytes, and no control characters.")
        }
        self.name = name
        self.versions = versions
    }
}

extension Caller {
    /// The repositories of which the caller sees releases; nil for every one. A release is shown to callers who may read or
    /// publish in each repository that it touches.
    package var releaseRepositories: [RepoKey]? {
        var keys: [RepoKey] = []
        for scope in self.scopes where scope.role.satisfies(.read) || scope.role.satisfies(.promote) {
            guard let key = scope.repo else { return nil }
            keys.append(key)
        }
        return keys
    }
}
