// What people ask of packages: lists, versions, tags. Who may read is decided by the resolver; what can be seen by the
// one table (architecture, section 5, Who sees what).

package import Domain
package import Persistence

/// A version with all that belongs to it.
package struct VersionView: Sendable {
    package let version: PackageVersion
    package let circumstances: VersionStore.Circumstances
    package let entries: Page<ArtifactEntry, String>
    package let manifest: (document: JSON, blob: BlobDigest?)?
    package let attestations: [StoredAttestation]
}

package struct PackageReading: Sendable {
    /// Entries that a view shows; the others are asked for by page.
    package static let entryLimit = 1000
    /// Steps through the index that a page may take to find something that can be seen.
    private static let steps = 20

    private let resolving: Resolving
    private let database: any Database

    package init(resolving: Resolving, database: any Database) {
        self.resolving = resolving
        self.database = database
    }

    /// Where something is asked for, and by whom.
    package struct Place: Sendable {
        package let repo: RepoKey
        package let credential: Credential
        package let correlation: UniqueID

        package init(repo: RepoKey, credential: Credential, correlation: UniqueID) {
            self.repo = repo
            self.credential = credential
            self.correlation = correlation
        }
    }

    // MARK: - Lists

    /// Packages with a visible version, by type, namespace and name.
    ///
    /// - Throws: `unauthorized`, `forbidden`, `not_found`, here and below.
    package func packages(
        _ filter: PackageStore.Filter, in place: Place, after position: PackageName?, limit: Int
    ) async throws -> Page<ListedPackage, PackageName> {
        let members = try await self.scope(place).members.map(\.id)
        return try await self.database.read { transaction in
            var position = position
            for _ in 0..<Self.steps {
                let page = try PackageStore.page(filter, in: members, after: position, limit: limit, transaction)
                if !page.items.isEmpty || page.next == nil { return page }
                position = page.next
            }
            return Page(items: [], next: position)
        }
    }

    /// Visible versions, in the order of the format.
    package func versions(
        of package: PackageName, in place: Place, after position: (sortKey: [UInt8], id: VersionID)?, descending: Bool,
        limit: Int
    ) async throws -> [ListedVersion] {
        let scope = try await self.scope(place)
        return try await self.database.read { transaction in
            let packages = try scope.packages(package, transaction)
            let page = try VersionStore.page(
                ofEach: packages, after: position, descending: descending, limit: limit, transaction)
            // A package of which nothing can be seen is not there.
            if page.isEmpty, position == nil { throw Refusal.notFound("Package '\(package.name)'") }
            return page
        }
    }

    // MARK: - One version

    /// In whatever state (the version view).
    package func version(_ id: VersionID, in place: Place) async throws -> VersionView {
        let scope = try await self.scope(place)
        return try await self.database.read { transaction in
            let version = try scope.version(id, transaction)
            return try Self.view(of: version, VersionStore.circumstances(of: id, transaction), transaction)
        }
    }

    /// A page of its entries, by path.
    package func entries(
        of id: VersionID, in place: Place, after path: String?, limit: Int
    ) async throws -> (PackageVersion, Page<ArtifactEntry, String>) {
        let scope = try await self.scope(place)
        return try await self.database.read { transaction in
            (
                try scope.version(id, transaction),
                try VersionContentStore.entries(of: id, after: path, limit: limit, transaction)
            )
        }
    }

    /// What is said of a version, in whatever state it is: the oldest first.
    package func attestations(
        of id: VersionID, in place: Place
    ) async throws -> (PackageVersion, [StoredAttestation]) {
        let scope = try await self.scope(place)
        return try await self.database.read { transaction in
            (
                try scope.version(id, transaction),
                try AttestationStore.attestations(of: id, transaction)
            )
        }
    }

    /// - Throws: `not_found` for the version or the attestation.
    package func attestation(
        _ id: AttestationID, of version: VersionID, in place: Place
    ) async throws -> StoredAttestation {
        let scope = try await self.scope(place)
        return try await self.database.read { transaction in
            _ = try scope.version(version, transaction)
            guard let found = try AttestationStore.attestations(of: version, only: id, transaction).first else {
                throw Refusal.notFound("The attestation")
            }
            return found
        }
    }

    /// By coordinate, where it can be seen.
    ///
    /// - Throws: `quarantined_blob` also.
    package func version(
        _ version: String, of package: PackageName, in place: Place
    ) async throws -> VersionView {
        let scope = try await self.scope(place)
        return try await self.database.read { transaction in
            for id in try scope.packages(package, transaction) {
                guard let found = try VersionStore.find(version, of: id, transaction), found.state == .published else {
                    continue
                }
                let circumstances = try VersionStore.circumstances(of: found.id, transaction)
                try Self.checkVisible(found, circumstances.quarantine)
                return try Self.view(of: found, circumstances, transaction)
            }
            throw Refusal.notFound("Version '\(version)' of '\(package.name)'")
        }
    }

    // MARK: - Tags

    /// Those that point at visible versions, by name.
    package func tags(
        of package: PackageName, in place: Place, after name: String?, limit: Int
    ) async throws -> Page<StoredTag, String> {
        let scope = try await self.scope(place)
        return try await self.database.read { transaction in
            try TagStore.page(
                ofEach: scope.packages(package, transaction), after: name, limit: limit, transaction)
        }
    }

    /// - Throws: `quarantined_blob` also.
    package func tag(_ name: TagName, of package: PackageName, in place: Place) async throws -> StoredTag {
        let scope = try await self.scope(place)
        return try await self.database.read { transaction in
            let packages = try scope.packages(package, transaction)
            for id in packages {
                guard let tag = try TagStore.find(name.text, of: id, transaction) else { continue }
                let version = try scope.version(tag.version, transaction)
                // A later member may have the tag too.
                if version.state != .published, packages.count > 1 { continue }
                try Self.checkVisible(version, QuarantineStore.status(of: version.id, transaction))
                return tag
            }
            throw Refusal.notFound("The tag '\(name)'")
        }
    }

    /// Every change of a tag, the newest first; also of one that is gone. Of several members that had the tag, the first.
    package func history(
        of name: TagName, of package: PackageName, in place: Place, before id: Int64?, limit: Int
    ) async throws -> Page<TagChange, Int64> {
        let scope = try await self.scope(place)
        return try await self.database.read { transaction in
            let packages = try scope.packages(package, transaction)
            let first = try packages.first { package in
                try !TagStore.history(of: name.text, of: package, before: nil, limit: 1, transaction).items.isEmpty
            }
            return try TagStore.history(
                of: name.text, of: first ?? packages[0], before: id, limit: limit, transaction)
        }
    }

    // MARK: -

    private func scope(_ place: Place) async throws -> ReadableScope {
        try await self.resolving.scope(of: place.repo, for: place.credential, correlation: place.correlation)
    }

    /// - Throws: `not_found`, `quarantined_blob`.
    private static func checkVisible(_ version: PackageVersion, _ quarantine: QuarantineStatus?) throws(Refusal) {
        switch Visibility.byCoordinate(version.state, quarantine) {
        case .visible: return
        case .absent: throw .notFound("Version '\(version.coordinate.version)' of '\(version.coordinate.package.name)'")
        case .withheld: throw Refusal(.quarantinedBlob, "The version is in quarantine.")
        }
    }

    private static func view(
        of version: PackageVersion, _ circumstances: VersionStore.Circumstances, _ transaction: borrowing Transaction
    ) throws -> VersionView {
        VersionView(
            version: version, circumstances: circumstances,
            entries: try VersionContentStore.entries(of: version.id, after: nil, limit: Self.entryLimit, transaction),
            manifest: try VersionContentStore.manifest(of: version.id, transaction),
            attestations: try AttestationStore.attestations(of: version.id, transaction))
    }
}
