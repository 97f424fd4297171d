// Upload sessions: bytes go to the store by parts, and become a blob when they are found to be what was announced.
// Rules: HTTP contract, 3.4, 6.2 and section 9, rows 11, 12, 19, 23, 33 and 38; architecture, I1 and section 6.

package import Domain
package import Persistence
package import Storage
package import Threads

/// What the server allows where nothing else is set.
package struct UploadLimits: Sendable {
    /// In seconds.
    package let sessionLifetime: Int
    /// In seconds: of a part's URL.
    package let partLifetime: Int
    /// For tenants without a policy of their own.
    package let admission: AdmissionPolicy

    package init(sessionLifetime: Int, partLifetime: Int, admission: AdmissionPolicy) {
        self.sessionLifetime = sessionLifetime
        self.partLifetime = partLifetime
        self.admission = admission
    }
}

package struct Uploads: Sendable {
    let database: any Database
    let storage: any BlobStorage
    let clock: WallClock
    /// This process: answers for keys that no session has yet.
    let owner: UniqueID
    let limits: UploadLimits
    /// Nil where the store serves clients itself.
    let signer: PartSigner?
    let hashing: StoredHash
    let deduplication: Deduplication

    /// - Parameter hashers: threads that read and hash.
    package init(
        database: any Database, storage: any BlobStorage, clock: WallClock, owner: UniqueID, limits: UploadLimits,
        signer: PartSigner?, hashers: BlockingPool
    ) {
        self.database = database
        self.storage = storage
        self.clock = clock
        self.owner = owner
        self.limits = limits
        self.signer = signer
        self.hashing = StoredHash(storage: storage, threads: hashers)
        self.deduplication = Deduplication(storage: storage, threads: hashers, clock: clock)
    }

    /// - Throws: `not_found`.
    package func requireRepository(under grant: Grant) async throws {
        _ = try await self.database.lookup { try RepositoryStore.require(grant.repo, of: grant.tenant, $0) }
    }

    /// A session, and the parts of it that have arrived or were sealed.
    ///
    /// - Throws: `not_found`.
    package func find(_ id: UploadID, under grant: Grant) async throws -> (UploadSession, [StoredPart]) {
        let (session, sealed) = try await self.database.read { transaction in
            let session = try UploadSessionStore.require(id, in: grant.repo, of: grant.tenant, transaction)
            let isSealed = session.state == .pendingCommit || session.state == .committed
            return (session, isSealed ? try UploadSessionStore.sealedParts(of: id, transaction) : nil)
        }
        if let sealed { return (session, StoredPart.list(sealed)) }
        guard let upload = session.upload, session.state == .initiated || session.state == .partsUploading else {
            return (session, [])
        }
        do {
            return (session, try await self.storage.parts(of: upload))
        } catch StorageFault.missing {
            return (session, [])
        }
    }
}

extension UploadSession {
    /// Nil where the bytes were there already.
    package var upload: MultipartUpload? {
        guard let key = self.stagingKey, let id = self.storageUploadID else { return nil }
        return MultipartUpload(key: key, id: id)
    }

    /// - Throws: `object_not_found` for a session that no storage knows of.
    func requireUpload() throws(Refusal) -> MultipartUpload {
        guard let upload = self.upload else {
            throw Refusal(.objectNotFound, "The upload session has no bytes in the object store.")
        }
        return upload
    }
}

extension AuditEntry {
    /// A row on a session.
    static func upload(
        _ action: String, _ id: UploadID, _ details: KeyValuePairs<String, String>
    ) -> AuditEntry {
        AuditEntry(action, on: "upload_session", id, details)
    }
}

extension StoredPart {
    /// As a session keeps them.
    static func document(_ parts: [StoredPart]) -> JSON {
        .array(
            parts.map { part in
                [
                    "number": JSON(part.number), "eTag": .string(part.entityTag), "length": JSON(part.length),
                    "digest": JSON(part.digest?.hex),
                ]
            })
    }

    static func list(_ document: JSON) -> [StoredPart] {
        (document.elements ?? []).compactMap { element in
            guard let number = element["number"]?.integer, let tag = element["eTag"]?.text else { return nil }
            return StoredPart(
                number: Int(number), entityTag: tag, length: element["length"]?.integer.map(Int.init),
                digest: element["digest"]?.text.flatMap { try? BlobDigest(parsing: $0) })
        }
    }
}
