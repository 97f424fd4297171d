// Entries and manifest of a draft. Rules: HTTP contract, 3.5 and section 9, rows 5 and 14.

package import Domain
package import Persistence
package import Threads

/// An entry as a publisher announces it.
package struct AnnouncedEntry: Hashable, Sendable {
    package let path: RelativePath
    package let digest: BlobDigest
    /// In bytes.
    package let size: Int
    package let sha256: BlobDigest?
    package let sha1: String?

    package init(path: RelativePath, digest: BlobDigest, size: Int, sha256: BlobDigest?, sha1: String?) {
        self.path = path
        self.digest = digest
        self.size = size
        self.sha256 = sha256
        self.sha1 = sha1
    }
}

package struct StoredManifest: Hashable, Sendable {
    package let version: PackageVersion
    package let document: JSON
    /// Of the original document.
    package let blob: BlobDigest?
}

package struct DraftContents: Sendable {
    private let database: any Database
    private let formats: PackageFormats
    private let clock: WallClock

    package init(database: any Database, formats: PackageFormats, clock: WallClock) {
        self.database = database
        self.formats = formats
        self.clock = clock
    }

    /// Adds entries, or replaces those of the same path: all of them or none.
    ///
    /// - Throws: `bad_request` for a path that comes twice; `not_found`; `conflict` if the version is not a draft, or a
    ///   blob does not exist or is not shown by this repository; `entry_mismatch`.
    package func put(
        _ entries: [AnnouncedEntry], of id: VersionID, under grant: Grant, commit: Commit<PackageVersion>
    ) async throws -> PackageVersion {
        try Self.checkPaths(entries)
        return try await commit { [now = self.clock.now()] transaction in
            let draft = try VersionStore.require(id, in: grant.repo, of: grant.tenant, locked: true, transaction)
                .draft()
            let blobs = try Self.blobs(entries.map(\.digest), for: draft, at: now, transaction)
            var stored: [ArtifactEntry] = []
            for entry in entries { stored.append(try entry.checked(against: blobs[entry.digest])) }
            // The same again is no other content: what was said of it goes on holding.
            if try VersionContentStore.put(stored, into: draft, isCharged: false, at: now, transaction) {
                try VersionStore.touch(draft, transaction)
            }
            try transaction.execute(
                Announcement(of: draft.version).audit(
                    "package.version.entries.upserted",
                    ["entryCount": String(entries.count), "state": draft.version.state.rawValue], names: false,
                    by: grant.caller, at: now))
            return draft.version
        }
    }

    /// Replaces the manifest.
    ///
    /// - Throws: `bad_request` where the package type asks for more; `not_found`; `conflict` as for entries.
    package func put(
        _ manifest: JSON, blob: BlobDigest?, of id: VersionID, under grant: Grant, commit: Commit<PackageVersion>
    ) async throws -> PackageVersion {
        if let problem = manifest.storageProblem { throw Refusal.badRequest("manifest can't be kept: \(problem).") }
        return try await commit { [now = self.clock.now(), formats] transaction in
            let version = try VersionStore.require(id, in: grant.repo, of: grant.tenant, locked: true, transaction)
            let type = version.coordinate.package.type
            try formats[type].check(manifest)
            let draft = try version.draft()
            if let blob { _ = try Self.blobs([blob], for: draft, at: now, transaction) }
            if try VersionContentStore.put(manifest, blob: blob, into: draft, isCharged: false, at: now, transaction) {
                try VersionStore.touch(draft, transaction)
            }
            try transaction.execute(
                Announcement(of: version).audit(
                    "package.version.manifest.upserted",
                    [
                        "packageType": type, "hasManifestBlobDigest": String(blob != nil),
                        "state": version.state.rawValue,
                    ], names: false, by: grant.caller, at: now))
            return version
        }
    }

    /// - Throws: `not_found` for the version or the manifest.
    package func manifest(of id: VersionID, under grant: Grant) async throws -> StoredManifest {
        try await self.database.read { [now = self.clock.now()] transaction in
            let version = try ReadableScope.find(under: grant, at: now, transaction).version(id, transaction)
            guard let (document, blob) = try VersionContentStore.manifest(of: id, transaction) else {
                throw Refusal.notFound("The manifest")
            }
            return StoredManifest(version: version, document: document, blob: blob)
        }
    }

    /// For routes that look for the version before they read the body.
    ///
    /// - Throws: `not_found`.
    package func require(_ id: VersionID, under grant: Grant) async throws {
        _ = try await self.database.lookup {
            try VersionStore.require(id, in: grant.repo, of: grant.tenant, $0)
        }
    }

    /// Blobs to refer to, locked: known, and shown by the draft's repository.
    ///
    /// - Throws: `conflict`.
    private static func blobs(
        _ digests: [BlobDigest], for draft: Draft, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> [BlobDigest: Blob] {
        let blobs = try BlobStore.refer(to: digests, at: now, transaction)
        for digest in digests where blobs[digest] == nil {
            throw Refusal.conflict("The blob '\(digest)' does not exist.")
        }
        let uncommitted = try VersionContentStore.uncommitted(digests, in: draft.version.repository.id, transaction)
        guard let first = uncommitted.first else { return blobs }
        throw Refusal.uncommitted(first)
    }

    /// - Throws: `bad_request`.
    private static func checkPaths(_ entries: [AnnouncedEntry]) throws(Refusal) {
        var seen: Set<Name> = []
        for entry in entries where !seen.insert(Name(entry.path.text.lowercasedName)).inserted {
            throw .badRequest("Duplicate relativePath '\(entry.path)': paths must differ, also without regard to case.")
        }
    }
}

extension AnnouncedEntry {
    /// - Throws: `entry_mismatch`.
    fileprivate func checked(against blob: Blob?) throws(Refusal) -> ArtifactEntry {
        if let blob, self.size != blob.length {
            throw Refusal(
                .entryMismatch, "The blob of '\(self.path)' has \(blob.length) bytes, not \(self.size).",
                [
                    "relativePath": .string(self.path.text), "field": "sizeBytes", "expected": JSON(self.size),
                    "actual": JSON(blob.length),
                ])
        }
        if let sha256 = self.sha256, sha256 != self.digest {
            throw Refusal(
                .entryMismatch, "The blob of '\(self.path)' has another SHA-256 than the entry says.",
                [
                    "relativePath": .string(self.path.text), "field": "checksumSha256", "expected": .string(sha256.hex),
                    "actual": .string(self.digest.hex),
                ])
        }
        return ArtifactEntry(path: self.path, digest: self.digest, length: self.size, sha1: self.sha1)
    }
}

extension Refusal {
    static func uncommitted(_ digest: BlobDigest) -> Refusal {
        .conflict("The blob '\(digest)' was not committed in this repository: upload it here first.")
    }
}
