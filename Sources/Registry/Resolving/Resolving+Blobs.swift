// Reading a blob by its digest through one repository, in one statement. Rules: HTTP contract, 3.4; architecture,
// section 5.

package import Domain
import Persistence
import Threads

/// Bytes that the caller may have.
package struct ResolvedBlob: Hashable, Sendable {
    package let digest: BlobDigest
    /// In bytes.
    package let length: Int
    package let storageKey: StorageKey
    /// Since when the repository has it.
    package let since: Timestamp
    package let settings: RepositorySettings
}

extension Resolving {
    /// - Throws: `unauthorized`, `forbidden`; `not_found` for the repository, or a digest that it does not show;
    ///   `quarantined_blob`; `object_not_found` for bytes that are withheld because they are damaged.
    package func blob(
        _ digest: BlobDigest, in key: RepoKey, for credential: Credential, correlation: UniqueID
    ) async throws -> ResolvedBlob {
        let tenant = self.defaultTenant
        let statement: SQL = """
            SELECT \(AccessStore.columns), b.length_bytes, b.storage_key, b.blocked_at, \(BlobVisibility.since(digest)),
                \(BlobVisibility.isWithheld)
            FROM \(AccessStore.source(credential.hash, key, tenant, at: self.clock.now()))
            LEFT JOIN blobs b ON b.digest = \(digest) AND b.state <> 'deleting'
            \(BlobVisibility.join(digest))
            """
        let (access, rows) = try await self.database.lookup { transaction in
            try AccessStore.rows(statement, transaction, as: { try BlobRow($0) })
        }
        let scope = try ReadableScope(
            access, rows.compactMap(\.member), of: key, for: credential, tenant, correlation: correlation)
        let blobs = rows.filter { scope.includes($0.member) }.map(\.value)
        // The same bytes everywhere: one member that shows them is enough.
        let blob = blobs.first { $0.since != nil && !$0.isWithheld } ?? blobs.first { $0.since != nil }
        guard let blob else { throw Refusal.notFound("The blob") }
        return try blob.visible(digest, in: scope)
    }
}

/// The columns after those of the access.
private struct BlobRow {
    let length: Int?
    let key: StorageKey?
    let blockedAt: Timestamp?
    let since: Timestamp?
    let isWithheld: Bool

    init(_ row: borrowing Row) throws {
        let start = AccessStore.count
        self.length = try row[start]
        self.key = try row[start + 1]
        self.blockedAt = try row[start + 2]
        self.since = try row[start + 3]
        self.isWithheld = try row[start + 4] ?? false
    }

    /// - Throws: `not_found`, `quarantined_blob`, `object_not_found`.
    func visible(_ digest: BlobDigest, in scope: ReadableScope) throws(Refusal) -> ResolvedBlob {
        guard let since else { throw .notFound("The blob") }
        guard !self.isWithheld else {
            throw Refusal(.quarantinedBlob, "A version of this repository that has these bytes is in quarantine.")
        }
        guard let length, let key else { throw .notFound("The blob") }
        guard self.blockedAt == nil else {
            throw Refusal(.objectNotFound, "The stored bytes are damaged and are withheld until they are restored.")
        }
        return ResolvedBlob(
            digest: digest, length: length, storageKey: key, since: since, settings: scope.settings)
    }
}
