// Committing: what is stored is hashed, and becomes a blob where it is what was announced. Rules: HTTP contract, 3.4 and
// section 9, rows 12, 21 and 38; architecture, I1.

package import Domain
import Persistence
import Storage
import Threads

/// How a commit ended. Both ends are durable.
package enum UploadVerdict: Hashable, Sendable {
    case committed(UploadSession)
    /// The session is aborted.
    case mismatch(UploadMismatch)
}

extension Uploads {
    /// - Throws: `not_found`; `conflict`; what the storage throws.
    package func commit(
        _ id: UploadID, under grant: Grant, commit: Commit<UploadVerdict>
    ) async throws -> UploadVerdict {
        let (verdict, session) = try await self.verdict(id, under: grant, commit: commit)
        if case .mismatch = verdict, let upload = session.upload { await self.discard(upload.key, upload) }
        return verdict
    }

    private func verdict(
        _ id: UploadID, under grant: Grant, commit: Commit<UploadVerdict>
    ) async throws -> (UploadVerdict, UploadSession) {
        let seen = try await self.database.lookup {
            try UploadSessionStore.require(id, in: grant.repo, of: grant.tenant, $0)
        }
        if seen.state == .committed || seen.sealedDigest != nil {  // nothing is left to be hashed
            let (digest, length) = try await self.measureFree(seen, under: grant)
            return (try await self.settle(seen, digest, length, nil, under: grant, commit: commit), seen)
        }
        let lease = self.freshLease(at: self.clock.now())
        let session = try await self.database.transaction { [now = self.clock.now()] transaction in
            var session = try UploadSessionStore.locked(id, in: grant.repo, of: grant.tenant, transaction)
            try session.mustBeAlive(at: now)
            if session.state == .committed { return session }
            _ = try session.state.after(.match)
            try session.mustBeFree(at: now)
            _ = try session.requireUpload()
            session.lease = lease
            try UploadSessionStore.update(session, at: now, transaction)
            return session
        }
        if session.state == .committed { return (try await commit { _ in .committed(session) }, session) }
        return (
            try await self.working(on: id, lease, under: grant) {
                let (digest, length) = try await self.measure(session)
                return try await self.settle(session, digest, length, lease, under: grant, commit: commit)
            }, session
        )
    }

    /// What is stored. Bytes that came through this server in one go were hashed on their way in.
    private func measure(_ session: UploadSession) async throws -> (BlobDigest, Int) {
        guard session.state == .pendingCommit else { return (session.expectedDigest, session.expectedLength) }
        let upload = try session.requireUpload()
        guard let length = try await self.storage.length(of: upload.key) else {
            throw StorageFault.missing("the staged object \(upload.key)")
        }
        if let digest = session.sealedDigest, session.sealedLength == length { return (digest, length) }
        return (try await self.hashing.digest(of: upload.key, length: length), length)
    }

    /// Without a lease, the session's end does not wait for us; it then explains more than bytes that are gone.
    private func measureFree(_ seen: UploadSession, under grant: Grant) async throws -> (BlobDigest, Int) {
        do {
            return try await self.measure(seen)
        } catch let fault as StorageFault {
            let session = try await self.database.lookup {
                try UploadSessionStore.require(seen.id, in: grant.repo, of: grant.tenant, $0)
            }
            try session.mustBeAlive(at: self.clock.now())
            if session.state == .committed { return try await self.measure(session) }
            _ = try session.state.after(.match)
            throw fault
        }
    }

    private func settle(
        _ seen: UploadSession, _ digest: BlobDigest, _ length: Int, _ lease: UploadLease?, under grant: Grant,
        commit: Commit<UploadVerdict>
    ) async throws -> UploadVerdict {
        let settle = { (inspection: ObjectInspection?) in
            try await commit { [now = self.clock.now()] transaction in
                let session = try UploadSessionStore.locked(seen.id, in: grant.repo, of: grant.tenant, transaction)
                if let lease {
                    try session.mustBeHeld(by: lease)
                } else {
                    try session.mustBeAlive(at: now)
                    if session.state == .committed { return .committed(session) }
                    try session.mustBeFree(at: now)
                }
                return try Self.settle(
                    session, digest, length, after: inspection, under: grant, at: now, transaction)
            }
        }
        guard let upload = seen.upload else { return try await settle(nil) }
        return try await self.deduplication.run(admitting: upload.key, settle)
    }

    private static func settle(
        _ session: UploadSession, _ digest: BlobDigest, _ length: Int, after inspection: ObjectInspection?,
        under grant: Grant, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> UploadVerdict {
        let (id, upload) = (session.id, try session.requireUpload())
        var session = session
        session.lease = nil
        if let mismatch = UploadMismatch(session, digest: digest, length: length) {
            session.state = try session.state.after(.mismatch)
            session.abortReason = mismatch.reason
            try AuditLog.append(
                .upload(
                    "upload.commit.verification_failed", id,
                    [
                        "repoKey": grant.repo.text, "reason": mismatch.reason,
                        "expectedDigest": mismatch.expectedDigest.hex, "actualDigest": mismatch.actualDigest.hex,
                        "expectedLength": String(mismatch.expectedLength),
                        "actualLength": String(mismatch.actualLength),
                    ]), by: grant.caller, at: now, transaction)
            try UploadSessionStore.update(session, at: now, transaction)
            try Self.release(session, reason: mismatch.reason, at: now, transaction)
            return .mismatch(mismatch)
        }
        session.state = try session.state.after(.match)
        let blob = try Deduplication.admit(
            digest, length: length, key: upload.key, checksums: Checksums(), after: inspection, by: grant.caller,
            at: now, transaction)
        session.committedDigest = blob.digest
        try AuditLog.append(
            .upload(
                "upload.committed", id,
                [
                    "repoKey": grant.repo.text, "digest": digest.hex, "length": String(length),
                    "state": session.state.rawValue,
                ]), by: grant.caller, at: now, transaction)
        try UploadSessionStore.update(session, at: now, transaction)
        return .committed(session)
    }
}
