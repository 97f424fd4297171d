// An upload session as it is stored. Rules: HTTP contract, 3.4, 6.2 and section 9, rows 11, 33 and 38.

package typealias UploadID = Identifier<UploadSession>

/// The exclusive right to work on a session for a limited time, during which it does not expire.
package struct UploadLease: Hashable, Sendable {
    package let token: UniqueID
    package let until: Timestamp

    package init(token: UniqueID, until: Timestamp) {
        self.token = token
        self.until = until
    }
}

package struct UploadSession: Hashable, Sendable {
    /// S3's own limit.
    package static let partLimit = 10_000

    package let id: UploadID
    package let tenant: TenantID
    package let repo: RepoID
    package let expectedDigest: BlobDigest
    /// In bytes.
    package let expectedLength: Int
    package var state: UploadState
    /// Whether the bytes were there already, so that none were sent.
    package let deduped: Bool
    package let expiresAt: Timestamp
    /// Nil for a deduplicated session.
    package let stagingKey: StorageKey?
    /// The store's own name for the upload in parts; nil for a deduplicated session.
    package let storageUploadID: String?
    /// Nil also where a committed session's blob was collected since.
    package var committedDigest: BlobDigest?
    /// Of the parts that `complete` sealed, in bytes.
    package var sealedLength: Int?
    /// The SHA-256 that this server computed while the sealed bytes came through it; nil where they went by it.
    package var sealedDigest: BlobDigest?
    package var lease: UploadLease?
    package var abortReason: String?

    package init(
        id: UploadID, tenant: TenantID, repo: RepoID, expectedDigest: BlobDigest, expectedLength: Int,
        state: UploadState, deduped: Bool, expiresAt: Timestamp, stagingKey: StorageKey? = nil,
        storageUploadID: String? = nil, committedDigest: BlobDigest? = nil, sealedLength: Int? = nil,
        sealedDigest: BlobDigest? = nil, lease: UploadLease? = nil, abortReason: String? = nil
    ) {
        self.id = id
        self.tenant = tenant
        self.repo = repo
        self.expectedDigest = expectedDigest
        self.expectedLength = expectedLength
        self.state = state
        self.deduped = deduped
        self.expiresAt = expiresAt
        self.stagingKey = stagingKey
        self.storageUploadID = storageUploadID
        self.committedDigest = committedDigest
        self.sealedLength = sealedLength
        self.sealedDigest = sealedDigest
        self.lease = lease
        self.abortReason = abortReason
    }

    package func isExpired(at now: Timestamp) -> Bool { self.expiresAt <= now }

    package func isLeased(at now: Timestamp) -> Bool { self.lease.map { $0.until > now } ?? false }

    /// - Throws: `conflict`, also if another request holds a lease.
    package func mustBeFree(at now: Timestamp) throws(Refusal) {
        guard !self.isLeased(at: now) else {
            throw .conflict("The upload session is being completed or committed by another request.")
        }
    }

    /// - Throws: `conflict`.
    package func mustBeAlive(at now: Timestamp) throws(Refusal) {
        guard !self.isExpired(at: now) else {
            throw Refusal(
                .conflict, "The upload session expired at \(self.expiresAt).", ["state": .string(self.state.rawValue)])
        }
    }

    /// What `complete` asks of the parts' total: more than was announced is refused before anything is hashed. (Less is
    /// found at the commit, which can tell the digest of what came.)
    ///
    /// - Throws: `conflict`.
    package func mustHold(_ length: Int) throws(Refusal) {
        guard length <= self.expectedLength else {
            throw Refusal(
                .conflict, "The parts have \(length) bytes together, \(self.expectedLength) were announced.",
                ["expectedLength": JSON(self.expectedLength), "actualLength": JSON(length)])
        }
    }
}

/// What a commit found instead of what was announced.
package struct UploadMismatch: Hashable, Sendable {
    package let expectedDigest: BlobDigest
    package let actualDigest: BlobDigest
    /// In bytes.
    package let expectedLength: Int
    /// In bytes.
    package let actualLength: Int

    /// Nil where the session got what it expects.
    package init?(_ session: UploadSession, digest: BlobDigest, length: Int) {
        guard digest != session.expectedDigest || length != session.expectedLength else { return nil }
        self.expectedDigest = session.expectedDigest
        self.actualDigest = digest
        self.expectedLength = session.expectedLength
        self.actualLength = length
    }

    /// The digest is looked at first.
    package var reason: String {
        self.expectedDigest != self.actualDigest ? "digest_mismatch" : "length_mismatch"
    }
}
