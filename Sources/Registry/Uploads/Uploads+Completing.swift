// Completing: the parts are sealed, summed, and put together in the store. Rules: HTTP contract, 3.4 and section 9, row
// 33.

package import Domain
import Persistence
package import Storage
import Threads

extension Uploads {
    /// - Parameter named: the parts that make the object, each number once.
    /// - Throws: `not_found`; `conflict`, also where the parts have more bytes than were announced; what the storage
    ///   throws, `StorageFault.invalidPart` for a part that isn't there or has another entity tag.
    package func complete(
        _ id: UploadID, _ named: [StoredPart], under grant: Grant, commit: Commit<UploadSession>
    ) async throws -> UploadSession {
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
            let parts = try await self.assemble(named.sorted { $0.number < $1.number }, sealed)
            return try await commit { [now = self.clock.now()] transaction in
                var session = try UploadSessionStore.locked(id, in: grant.repo, of: grant.tenant, transaction)
                try session.mustBeHeld(by: lease)
                session.state = try session.state.after(.complete)
                session.sealedLength = parts.length
                session.sealedDigest = parts.digest
                session.lease = nil
                try UploadSessionStore.update(session, at: now, transaction)
                try UploadSessionStore.seal(id, StoredPart.document(parts.list), transaction)
                try AuditLog.append(
                    .upload(
                        "upload.completed", id, ["repoKey": grant.repo.text, "state": session.state.rawValue]),
                    by: grant.caller, at: now, transaction)
                return session
            }
        }
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
            guard let length = try await self.storage.length(of: upload.key) else { throw StorageFault.missing(text) }
            try session.mustHold(length)
            return Assembled(list: named, length: length, digest: nil)
        }
        let byNumber = Dictionary(arrived.map { ($0.number, $0) }) { $1 }
        var (list, length) = ([StoredPart](), 0)
        for part in named {
            guard let found = byNumber[part.number], found.entityTag == part.entityTag else {
                throw StorageFault.invalidPart("part \(part.number) isn't there, or has another entity tag")
            }
            list.append(found)
            length += found.length ?? 0
        }
        try session.mustHold(length)
        try await self.storage.complete(upload, list)
        return Assembled(list: list, length: length, digest: list.count == 1 ? list[0].digest : nil)
    }
}
