// Bytes that this server has hashed. Rules: architecture, I1 and section 6 (Delete).

/// Where stored bytes lie: the key of one generation of an object, never used twice.
package struct StorageKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    private let key: Name

    package var text: String { self.key.text }

    /// - Parameter text: what was stored; segments of letters, digits, '.', '_' and '-', separated by '/'.
    package init?(_ text: String) {
        let segments = text.parts(at: "/")
        let isWellFormed = segments.allSatisfy { segment in
            !segment.isEmpty && segment != "." && segment != ".."
                && segment.utf8.allSatisfy { byte in
                    switch byte {
                    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
                    default: false
                    }
                }
        }
        guard isWellFormed, text.utf8.count <= 512 else { return nil }
        self.key = Name(text)
    }

    /// A fresh key for an upload: `staging/{tenant}/{repoKey}/{random}` (HTTP contract, 3.4).
    package static func fresh(tenant: TenantID, repo: RepoKey) -> StorageKey {
        StorageKey(known: "staging/\(tenant.value.hex)/\(repo.text)/\(UniqueID.random().hex)")
    }

    /// A fresh key for bytes that come through the server.
    package static func fresh() -> StorageKey { StorageKey(known: "objects/\(UniqueID.random().hex)") }

    private init(known text: String) { self.key = Name(text) }

    package static func < (left: Self, right: Self) -> Bool { left.key < right.key }

    package var description: String { self.text }
}

/// A blob row's life: contract section 9, row 24, and architecture section 6.
package enum BlobState: String, CaseIterable, Sendable {
    case live
    /// Nothing refers to it and its grace is over: a new reference revives it.
    case condemned
    /// Its object is being deleted: to a new reference it does not exist.
    case deleting
}

/// A blob row: bytes of which this server has computed the digest and counted the length.
package struct Blob: Hashable, Sendable {
    package let digest: BlobDigest
    /// In bytes.
    package let length: Int
    package let storageKey: StorageKey
    package let checksums: Checksums
    package let createdAt: Timestamp

    package init(
        digest: BlobDigest, length: Int, storageKey: StorageKey, checksums: Checksums, createdAt: Timestamp
    ) {
        self.digest = digest
        self.length = length
        self.storageKey = storageKey
        self.checksums = checksums
        self.createdAt = createdAt
    }
}
