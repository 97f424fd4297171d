// The ends of a session that do not make a blob, and what they leave in the store. Rules: HTTP contract, 3.4 and section
// 9, row 11.

package import Domain
import Persistence
import Storage
import Threads

extension Uploads {
    /// Gives a session up.
    ///
    /// - Returns: the session, with the reason of this call.
    /// - Throws: `not_found`; `conflict` where it is committed.
    package func abort(
        _ id: UploadID, reason: String, under grant: Grant, commit: Commit<UploadSession>
    ) async throws -> UploadSession {
        let now = self.clock.now()
        let session = try await commit { transaction in
            transaction.allowReserve()
            var session = try UploadSessionStore.locked(id, in: grant.repo, of: grant.tenant, transaction)
            let wasAborted = session.state == .aborted
            if !wasAborted { session.state = try session.state.after(.abort) }
            session.abortReason = reason
            if wasAborted { return session }
            try UploadSessionStore.update(session, at: now, transaction)
            try Self.release(session, reason: "aborted", at: now, transaction)
            try AuditLog.append(
                .upload(
                    "upload.aborted", id,
                    ["repoKey": grant.repo.text, "reason": reason, "state": session.state.rawValue]),
                by: grant.caller, at: now, transaction)
            return session
        }
        await self.free(session)
        return session
    }

    /// Hands what an aborted session has in the store over to be deleted, but not while a request works on it.
    static func release(
        _ session: UploadSession, reason: String, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        guard let key = session.stagingKey else { return }
        let due = session.isLeased(at: now) ? session.lease?.until : nil
        try StagedObjectStore.release(key, due: due ?? now, reason: reason, at: now, transaction)
    }

    /// Deletes at once what an aborted session has in the store. What cannot be deleted now is left to the sweep; so is
    /// what a request still works on.
    func free(_ session: UploadSession) async {
        guard session.state == .aborted, !session.isLeased(at: self.clock.now()), let upload = session.upload else {
            return
        }
        await self.discard(upload.key, upload)
    }

    /// Deletes an object that is staged or handed over, and forgets it.
    func discard(_ key: StorageKey, _ upload: MultipartUpload?) async {
        await shielded { [storage, database] in
            do {
                if let upload { try await storage.abort(upload) }
                try await storage.delete(key)
                try await database.transaction { transaction in
                    transaction.allowReserve()
                    try StagedObjectStore.remove(key, transaction)
                    try DeadObjectStore.remove([key], transaction)
                }
            } catch {
                // Its key is still recorded: the sweep comes back to it.
            }
        }
    }

    /// Releases a lease, and frees the session if it was aborted in between.
    func release(_ id: UploadID, _ lease: UploadLease, under grant: Grant) async {
        await shielded { [database] in
            let session = try? await database.transaction { transaction in
                transaction.allowReserve()
                try UploadSessionStore.release(id, lease.token, transaction)
                return try UploadSessionStore.require(id, in: grant.repo, of: grant.tenant, transaction)
            }
            if let session { await self.free(session) }  // otherwise the lease expires
        }
    }
}
