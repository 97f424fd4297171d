// Upload sessions. Shapes: HTTP contract, 3.4 and section 9, rows 19, 33 and 38.

import Domain
import HTTP
package import Registry
import Storage

package struct UploadRoutes: Sendable {
    private let uploads: Uploads

    package init(uploads: Uploads) { self.uploads = uploads }

    package var routes: [Route] {
        let sessions = "/v1/repos/{repoKey}/uploads"
        let session = "\(sessions)/{uploadId}"
        return [
            .content("POST", sessions, .write) { call, grant in try await self.open(call, grant) },
            .content("GET", session, .write) { call, grant in try await self.show(call, grant) },
            .content("POST", "\(session)/parts", .write) { call, grant in try await self.address(call, grant) },
            .content("POST", "\(session)/complete", .write) { call, grant in try await self.complete(call, grant) },
            .content("POST", "\(session)/commit", .write) { call, grant in try await self.commit(call, grant) },
            .content("POST", "\(session)/abort", .write) { call, grant in try await self.abort(call, grant) },
            .own(
                "PUT", "\(session)/parts/{partNumber}", "a URL that this server signed", check: Self.checkTicket
            ) { call, _ in try await self.receive(call) },
        ]
    }

    private static func checkTicket(_ call: Call) throws { _ = try PartTicket(call) }

    private func open(_ call: Call, _ grant: Grant) async throws -> Response {
        let draft: UploadDraft
        do {
            draft = try await UploadDraft(call.fields())
        } catch let refusal as Refusal {
            try await self.uploads.requireRepository(under: grant)  // its absence is told first
            throw refusal
        }
        return try await call.commit { commit in
            try await self.uploads.open(draft, under: grant, commit: commit)
        } answer: { session in
            let document = JSON.object(session.members(in: grant.repo))
            return session.deduped
                ? .json(200, document) : call.created(at: "/v1/repos/\(grant.repo)/uploads/\(session.id)", document)
        }
    }

    private func show(_ call: Call, _ grant: Grant) async throws -> Response {
        let (session, parts) = try await self.uploads.find(call.id("uploadId"), under: grant)
        let list = parts.map { part -> JSON in
            ["partNumber": JSON(part.number), "eTag": .string(part.entityTag), "sizeBytes": JSON(part.length)]
        }
        return .json(200, .object(session.members(in: grant.repo) + [.init("parts", .array(list))]))
    }

    private func address(_ call: Call, _ grant: Grant) async throws -> Response {
        let id: UploadID = try call.id("uploadId")
        let number = try await Int(clamping: call.fields().integer("partNumber"))
        // A signed URL is not kept for a replay.
        return try await call.commit(keeping: .only { [JSON.Member("uploadId", JSON($0.session.id))] }) { commit in
            try await self.uploads.address(
                of: number, of: id, baseURL: call.baseURL, under: grant, commit: commit)
        } answer: { address in
            .json(
                200,
                .object(
                    address.session.head(in: grant.repo) + [
                        .init("partNumber", JSON(address.number)), .init("uploadUrl", .string(address.url)),
                        .init("expiresAtUtc", JSON(address.expiresAt)),
                    ]))
        }
    }

    private func complete(_ call: Call, _ grant: Grant) async throws -> Response {
        let id: UploadID = try call.id("uploadId")
        let parts = try await StoredPart.list(call.fields())
        return try await call.commit { commit in
            try await self.uploads.complete(id, parts, under: grant, commit: commit)
        } answer: { session in
            .json(
                200,
                .object(
                    session.head(in: grant.repo) + [
                        .init("expectedDigest", .string(session.expectedDigest.hex)),
                        .init("expectedLength", JSON(session.expectedLength)),
                    ]))
        }
    }

    private func commit(_ call: Call, _ grant: Grant) async throws -> Response {
        let id: UploadID = try call.id("uploadId")
        return try await call.commit { commit in
            try await self.uploads.commit(id, under: grant, commit: commit)
        } answer: { verdict in
            switch verdict {
            case .committed(let session):
                .json(
                    200,
                    .object(
                        session.head(in: grant.repo) + [
                            .init("digest", JSON(session.committedDigest?.hex)),
                            .init("length", JSON(session.expectedLength)),
                        ]))
            case .mismatch(let mismatch): Problem(describing: Refusal(mismatch)).response
            }
        }
    }

    private func abort(_ call: Call, _ grant: Grant) async throws -> Response {
        let id: UploadID = try call.id("uploadId")
        let reason = try await call.optionalFields()?.trimmedText("reason") ?? "client_abort"
        return try await call.commit { commit in
            try await self.uploads.abort(id, reason: reason, under: grant, commit: commit)
        } answer: { session in
            .json(200, .object(session.head(in: grant.repo) + [.init("reason", .string(reason))]))
        }
    }

    private func receive(_ call: Call) async throws -> Response {
        let part = try await self.uploads.receive(
            PartTicket(call), signature: call.request.target.parameter("signature") ?? "", call.request.body)
        return Response(200, headers: ["ETag": EntityTag(part.entityTag).description])
    }
}
