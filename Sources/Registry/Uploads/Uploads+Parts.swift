// Parts: where a client puts them, and taking them in where the store does not serve clients itself. Rules: HTTP
// contract, 3.4 and section 9, rows 19 and 33.

package import Domain
package import HTTP
import Persistence
package import Storage
import Threads

/// Where one part goes.
package struct PartAddress: Hashable, Sendable {
    package let session: UploadSession
    package let number: Int
    /// Absolute.
    package let url: String
    package let expiresAt: Timestamp
}

extension Uploads {
    /// An address for a part. It may be asked for any number of times, also for the same part.
    ///
    /// - Parameter baseURL: of the server, as the client reaches it.
    /// - Throws: `bad_request`, `not_found`, `conflict`.
    package func address(
        of number: Int, of id: UploadID, baseURL: String, under grant: Grant, commit: Commit<PartAddress>
    ) async throws -> PartAddress {
        guard (1...UploadSession.partLimit).contains(number) else {
            throw Refusal.badRequest("partNumber must be 1 to \(UploadSession.partLimit).")
        }
        let now = self.clock.now()
        return try await commit { transaction in
            var session = try UploadSessionStore.locked(id, in: grant.repo, of: grant.tenant, transaction)
            try session.mustBeAlive(at: now)
            let next = try session.state.after(.issuePart)
            try session.mustBeFree(at: now)
            _ = try session.requireUpload()
            if next != session.state {
                session.state = next
                try UploadSessionStore.update(session, at: now, transaction)
            }
            try AuditLog.append(
                .upload(
                    "upload.part.presigned", id,
                    ["repoKey": grant.repo.text, "partNumber": String(number), "state": next.rawValue]),
                by: grant.caller, at: now, transaction)
            return try self.signed(number, of: session, in: grant.repo, baseURL: baseURL, at: now)
        }
    }

    private func signed(
        _ number: Int, of session: UploadSession, in repo: RepoKey, baseURL: String, at now: Timestamp
    ) throws -> PartAddress {
        let expiresAt = now.wholeSeconds + Int64(self.limits.partLifetime)
        let url: String
        if let signer {
            let ticket = PartTicket(
                repo: repo, upload: session.id, number: number, limit: session.expectedLength, expiresAt: expiresAt)
            url = baseURL + signer.target(of: ticket)
        } else {
            let upload = try session.requireUpload()
            let signed = try self.storage.presignedPart(
                number, of: upload, validFor: self.limits.partLifetime, at: now)
            guard let signed else { throw StorageFault.other("the store signs no URLs, and the server has no key") }
            url = signed
        }
        return PartAddress(session: session, number: number, url: url, expiresAt: expiresAt)
    }

    /// Receives a part under a ticket of this server. A part of the same number is replaced; one that fails leaves what was.
    ///
    /// - Throws: `forbidden` for a ticket that is forged or over; `not_found`; `conflict` where the session takes no
    ///   parts (any more); `StorageFault.tooLarge`; what body and storage throw.
    package func receive(_ ticket: PartTicket, signature: String, _ body: RequestBody) async throws -> StoredPart {
        guard let signer, signer.admits(ticket, signature: signature, at: self.clock.now()) else {
            throw Refusal(.forbidden, "The URL's signature is not valid, or its time is over. Ask for a new one.")
        }
        let upload = try await self.takingParts(ticket).requireUpload()
        let part: StoredPart
        do {
            part = try await self.storage.putPart(ticket.number, of: upload, body, limit: ticket.limit)
        } catch let fault as StorageFault {
            _ = try await self.takingParts(ticket)  // the session's end explains more than the missing upload
            throw fault
        }
        _ = try await self.takingParts(ticket)
        return part
    }

    /// - Throws: `not_found`, `conflict`.
    private func takingParts(_ ticket: PartTicket) async throws -> UploadSession {
        let session = try await self.database.lookup {
            try UploadSessionStore.require(ticket.upload, in: ticket.repo, $0)
        }
        let now = self.clock.now()
        try session.mustBeAlive(at: now)
        _ = try session.state.after(.issuePart)
        try session.mustBeFree(at: now)
        return session
    }
}
