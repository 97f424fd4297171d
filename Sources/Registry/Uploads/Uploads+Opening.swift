// Opening a session: admission, and the fast path for bytes that are there already. Rules: HTTP contract, 3.4, 7.5 and
// section 9, rows 12 and 23.

package import Domain
import Persistence
import Storage
import Threads

/// What is going to be sent.
package struct UploadDraft: Hashable, Sendable {
    package let expectedDigest: BlobDigest
    /// In bytes; positive.
    package let expectedLength: Int

    package init(expectedDigest: BlobDigest, expectedLength: Int) throws(Refusal) {
        guard expectedLength > 0 else { throw .badRequest("expectedLength must be positive.") }
        self.expectedDigest = expectedDigest
        self.expectedLength = expectedLength
    }
}

extension Uploads {
    /// Opens a session. It is committed at once if the caller may read these bytes already, and they are stored undamaged.
    ///
    /// - Throws: `not_found` for the repository; `conflict` where it takes no uploads; `too_many_requests` over the
    ///   tenant's quota; what the storage throws.
    package func open(
        _ draft: UploadDraft, under grant: Grant, commit: Commit<UploadSession>
    ) async throws -> UploadSession {
        let key = StorageKey.fresh(tenant: grant.tenant, repo: grant.repo)
        let known = try await self.database.transaction { [now = self.clock.now(), limits, owner] transaction in
            _ = try Self.target(of: grant, transaction)
            try limits.admit(draft.expectedLength, of: grant.tenant, transaction)
            if try BlobVisibility.isReadable(draft, by: grant.caller, transaction),
                let known = try BlobStore.find(draft.expectedDigest, transaction)
            {
                return known as (blob: Blob, verifiedAt: Timestamp?)?
            }
            try StagedObjectStore.add([key], owner: owner, at: now, transaction)  // before the first byte
            return nil
        }
        if let known {
            do {
                return try await self.adopt(known.blob, known.verifiedAt, draft, under: grant, commit: commit)
            } catch is UnusableBytes {
                try await self.database.transaction { [now = self.clock.now(), owner] transaction in
                    try StagedObjectStore.add([key], owner: owner, at: now, transaction)
                }
            }
        }
        return try await self.begin(draft, key, under: grant, commit: commit)
    }

    /// What is stored is damaged, was replaced in between, or can no longer be read by the caller: the bytes must be sent.
    private struct UnusableBytes: Fault {
        let description = "the stored bytes cannot be used"
    }

    /// The fast path: the stored object is inspected, then the blob's row is locked and looked at again.
    private func adopt(
        _ blob: Blob, _ verifiedAt: Timestamp?, _ draft: UploadDraft, under grant: Grant,
        commit: Commit<UploadSession>
    ) async throws -> UploadSession {
        let inspection = try await self.deduplication.inspect(blob, verifiedAt: verifiedAt, against: nil)
        if let damage = inspection.damage {
            if damage == .wrongBytes { try await self.block(blob, damage, under: grant) }
            throw UnusableBytes()
        }
        return try await commit { [now = self.clock.now(), limits] transaction in
            let repository = try Self.target(of: grant, transaction)
            guard try BlobStore.refer(to: draft.expectedDigest, after: inspection, at: now, transaction) != nil,
                try BlobVisibility.isReadable(draft, by: grant.caller, transaction)
            else { throw UnusableBytes() }
            let session = UploadSession(
                id: UploadID(UniqueID.random()), tenant: grant.tenant, repo: repository.id,
                expectedDigest: draft.expectedDigest, expectedLength: draft.expectedLength, state: .committed,
                deduped: true, expiresAt: now + Int64(limits.sessionLifetime), committedDigest: draft.expectedDigest)
            try limits.insert(session, under: grant, at: now, transaction)
            return session
        }
    }

    /// Bytes that are known to be wrong are not sent. The next upload of the right ones repairs the blob.
    private func block(_ blob: Blob, _ damage: ObjectDamage, under grant: Grant) async throws {
        try await self.database.transaction { [now = self.clock.now()] transaction in
            guard try BlobStore.block(blob.digest, storedAt: blob.storageKey, at: now, transaction) else { return }
            try AuditLog.append(
                AuditEntry(
                    "blob.damaged", on: "blob", blob.digest,
                    ["damage": damage.rawValue, "object": blob.storageKey.text]),
                by: grant.caller, at: now, transaction)
        }
    }

    private func begin(
        _ draft: UploadDraft, _ key: StorageKey, under grant: Grant, commit: Commit<UploadSession>
    ) async throws -> UploadSession {
        let upload: MultipartUpload
        do {
            upload = try await self.storage.beginMultipart(key)
        } catch {
            await self.discard(key, nil)
            throw error
        }
        do {
            return try await commit { [now = self.clock.now(), limits] transaction in
                let repository = try Self.target(of: grant, transaction)
                let session = UploadSession(
                    id: UploadID(UniqueID.random()), tenant: grant.tenant, repo: repository.id,
                    expectedDigest: draft.expectedDigest, expectedLength: draft.expectedLength, state: .initiated,
                    deduped: false, expiresAt: now + Int64(limits.sessionLifetime), stagingKey: key,
                    storageUploadID: upload.id)
                try StagedObjectStore.give(
                    key, to: session.id, storageUpload: upload.id, of: grant.tenant, transaction)
                try limits.insert(session, under: grant, at: now, transaction)
                return session
            }
        } catch {
            if case .commitUnknown? = error as? DatabaseFault { throw error }  // perhaps it is committed
            await self.discard(key, upload)
            throw error
        }
    }

    /// The repository, kept until the transaction ends, where it takes uploads.
    private static func target(of grant: Grant, _ transaction: borrowing Transaction) throws -> Repository {
        let repository = try RepositoryStore.require(
            grant.repo, of: grant.tenant, transaction, lock: .forKeyShare)
        guard repository.kind == .local else {
            throw Refusal.conflict("Repository '\(grant.repo)' is \(repository.kind.name): it takes no uploads.")
        }
        return repository
    }
}

extension UploadLimits {
    private func policy(of tenant: TenantID, _ transaction: borrowing Transaction) throws -> AdmissionPolicy {
        try AdmissionStore.policy(of: tenant, transaction) ?? self.admission
    }

    /// - Throws: `too_many_requests` where one more session of `length` bytes is over the tenant's quota.
    fileprivate func admit(_ length: Int, of tenant: TenantID, _ transaction: borrowing Transaction) throws {
        try self.policy(of: tenant, transaction)
            .admitUpload(of: Int64(length), beside: AdmissionStore.usage(of: tenant, transaction))
    }

    /// Stores a new session, and verifies the quotas again, exactly: rivals of the tenant wait from here on.
    fileprivate func insert(
        _ session: UploadSession, under grant: Grant, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try self.admit(session.expectedLength, of: grant.tenant, transaction)
        try AuditLog.append(
            .upload(
                "upload.session.created", session.id,
                [
                    "repoKey": grant.repo.text, "state": session.state.rawValue,
                    "deduped": session.deduped ? "true" : "false",
                ]), by: grant.caller, at: now, transaction)
        try UploadSessionStore.insert(session, by: grant.caller.subject, at: now, transaction)
        try AdmissionStore.lockSessions(of: grant.tenant, transaction)
        try AdmissionStore.lockBytes(
            of: grant.tenant, isLimited: self.admission.maxLogicalStorageBytes < AdmissionPolicy.largestDefault,
            transaction)
        try self.policy(of: grant.tenant, transaction)
            .keep(
                AdmissionStore.usage(of: grant.tenant, transaction), besideUncounted: session.state.isTerminal ? 1 : 0)
    }
}
