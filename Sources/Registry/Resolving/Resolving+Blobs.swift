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
    /// - Throws: `unauthorized`, `forbidden`; `not_found` for the repository, or a digest that it doesn't show;
    ///   `quarantined_blob`; `object_not_found` for bytes that are withheld because they are damaged.
    package func blob(
        _ digest: BlobDigest, in key: RepoKey, for credential: Credential, correlation: UniqueID
    ) async throws -> ResolvedBlob {
        let tenant = self.defaultTenant
        let statement: SQL = """
            SELECT \(AccessRow.columns), b.length_bytes, b.storage_key, b.blocked_at, \(BlobVisibility.since(digest)),
                \(BlobVisibility.isWithheld)
            FROM \(AccessRow.source(credential, key, tenant, at: self.clock.now()))
            LEFT JOIN blobs b ON b.digest = \(digest) AND b.state <> 'deleting'
            \(BlobVisibility.join(digest))
            """
        let row = try await self.database.lookup { transaction in
            try transaction.first(statement) { row in (try AccessRow(row), try BlobRow(row)) }
        }
        guard let (access, blob) = row else { throw DatabaseFault.unreadable("a resolve gave no row") }
        let repository = try access.readable(key, credential, tenant, correlation: correlation)
        return try blob.visible(digest, in: repository)
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
        let start = AccessRow.count
        (self.length, self.key, self.blockedAt) = (try row[start], try row[start + 1], try row[start + 2])
        (self.since, self.isWithheld) = (try row[start + 3], try row[start + 4] ?? false)
    }

    /// - Throws: `not_found`, `quarantined_blob`, `object_not_found`.
    func visible(_ digest: BlobDigest, in repository: ReadableRepository) throws(Refusal) -> ResolvedBlob {
        guard let since else { throw .notFound("The blob") }
        guard !self.isWithheld else {
            throw Refusal(.quarantinedBlob, "A version of this repository that has these bytes is in quarantine.")
        }
        guard let length, let key else { throw .notFound("The blob") }
        guard self.blockedAt == nil else {
            throw Refusal(.objectNotFound, "The stored bytes are damaged and are withheld until they are restored.")
        }
        return ResolvedBlob(
            digest: digest, length: length, storageKey: key, since: since, settings: repository.settings)
    }
}
