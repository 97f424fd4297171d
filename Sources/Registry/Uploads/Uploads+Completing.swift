// Completing: the parts are sealed, summed, and put together in the store. Rules: HTTP contract, 3.4 and section 9, row
// 33.

package import Domain
import Persistence
package import Storage
import Threads

extension Uploads {
    /// - Parameter named: the parts that make the object, each number once.
    /// - Throws: `not_found`; `conflict`, also where the parts have more bytes than were announced; what the storage
    ///   throws, `StorageFault.invalidPart` for a part that is not there or has another entity tag.
    package func complete(
        _ id: UploadID, _ named: [StoredPart], under grant: Grant, commit: Commit<UploadSession>
    ) async throws -> UploadSession {
        let named = named.sorted { $0.number < $1.number }
        // One part in a directory takes no longer than a transaction.
        if self.signer != nil, named.count == 1 {
            return try await self.completeAtOnce(id, named, under: grant, commit: commit)
        }
        let lease = self.freshLease(at: self.clock.now())
        let sealed = try await self.database.transaction { [now = self.clock.now()] transaction in
            var session = try UploadSessionStore.locked(id, in: grant.repo, of: grant.tenant, transaction)
            try session.mustBeAlive(at: now)
            if session.state == .pendingCommit { return session }  // a replay
            _ = try session.state.after(.complete)
            try session.mustBeFree(at: now)
            _ = try session.requireUpload()
            session.lease = lease
            try UploadSessionStore.update(session, at: now, transaction)
            return session
        }
        if sealed.state == .pendingCommit { return try await commit { _ in sealed } }
        return try await self.working(on: id, lease, under: grant) {
            let parts = try await self.assemble(named, sealed)
            return try await commit { [now = self.clock.now()] transaction in
                let session = try UploadSessionStore.locked(id, in: grant.repo, of: grant.tenant, transaction)
                try session.mustBeHeld(by: lease)
                return try Self.seal(session, parts, under: grant, at: now, transaction)
            }
        }
    }

    /// Without a lease: of rivals the store lets one make the object, and the others then find the session completed, or
    /// what they found in the store to be hashed.
    private func completeAtOnce(
        _ id: UploadID, _ named: [StoredPart], under grant: Grant, commit: Commit<UploadSession>
    ) async throws -> UploadSession {
        let seen = try await self.completing(id, under: grant)
        if seen.state == .pendingCommit { return try await commit { _ in seen } }
        let parts: Assembled
        do {
            parts = try await self.assemble(named, seen)
        } catch let fault as StorageFault {
            // A rival's success, or the session's end, explains more than parts that are gone.
            let now = try await self.completing(id, under: grant)
            guard now.state == .pendingCommit else { throw fault }
            return try await commit { _ in now }
        }
        return try await commit { [now = self.clock.now()] transaction in
            let session = try UploadSessionStore.locked(id, in: grant.repo, of: grant.tenant, transaction)
            if session.state == .pendingCommit { return session }
            try session.mustBeFree(at: now)
            return try Self.seal(session, parts, under: grant, at: now, transaction)
        }
    }

    /// - Throws: `conflict` where the session cannot be completed.
    private func completing(_ id: UploadID, under grant: Grant) async throws -> UploadSession {
        let session = try await self.database.lookup {
            try UploadSessionStore.require(id, in: grant.repo, of: grant.tenant, $0)
        }
        let now = self.clock.now()
        try session.mustBeAlive(at: now)
        if session.state == .pendingCommit { return session }  // a replay
        _ = try session.state.after(.complete)
        try session.mustBeFree(at: now)
        _ = try session.requireUpload()
        return session
    }

    private static func seal(
        _ session: UploadSession, _ parts: Assembled, under grant: Grant, at now: Timestamp,
        _ transaction: borrowing Transaction
    ) throws -> UploadSession {
        var session = session
        session.state = try session.state.after(.complete)
        session.sealedLength = parts.length
        session.sealedDigest = parts.digest
        session.lease = nil
        try UploadSessionStore.update(session, at: now, transaction)
        try UploadSessionStore.seal(session.id, StoredPart.document(parts.list), transaction)
        try AuditLog.append(
            .upload(
                "upload.completed", session.id, ["repoKey": grant.repo.text, "state": session.state.rawValue]),
            by: grant.caller, at: now, transaction)
        return session
    }

    private struct Assembled {
        let list: [StoredPart]
        /// In bytes.
        let length: Int
        let digest: BlobDigest?
    }

    private func assemble(_ named: [StoredPart], _ session: UploadSession) async throws -> Assembled {
        let upload = try session.requireUpload()
        let arrived: [StoredPart]
        do {
            arrived = try await self.storage.parts(of: upload)
        } catch StorageFault.missing(let text) {
            // Perhaps they were put together by a request that died before it could say so.
            guard try await self.storage.length(of: upload.key) != nil else { throw StorageFault.missing(text) }
            return try await self.assembled(named, of: upload, for: session)
        }
        let byNumber = Dictionary(arrived.map { ($0.number, $0) }) { $1 }
        var (list, length) = ([StoredPart](), 0)
        for part in named {
            guard let found = byNumber[part.number], found.entityTag == part.entityTag else {
                // Perhaps it was put together by a request that died before its parts were tidied up.
                guard try await self.storage.length(of: upload.key) != nil else {
                    throw StorageFault.invalidPart("part \(part.number) isn't there, or has another entity tag")
                }
                return try await self.assembled(named, of: upload, for: session)
            }
            list.append(found)
            length += found.length ?? 0
        }
        try session.mustHold(length)
        guard try await self.storage.complete(upload, list) else {
            return try await self.assembled(named, of: upload, for: session)
        }
        return Assembled(list: list, length: length, digest: list.count == 1 ? list[0].digest : nil)
    }

    /// An object that another call has made, perhaps of other parts: what it is, the commit finds out by hashing it.
    private func assembled(
        _ named: [StoredPart], of upload: MultipartUpload, for session: UploadSession
    ) async throws -> Assembled {
        guard let length = try await self.storage.length(of: upload.key) else {
            throw StorageFault.missing("the staged object \(upload.key)")
        }
        try session.mustHold(length)
        return Assembled(list: named, length: length, digest: nil)
    }
}
