// Files by path over plain HTTP. Rules: architecture, section 5 (Generic); HTTP contract, section 9, rows 17, 25, 28,
// 32 and 41. What is published at a path never changes, unless the repository allows a new revision.

package import API
import Domain
import HTTP
import Identity
package import Persistence
package import Registry

package struct GenericRoutes: Sendable {
    private let publishing: FilePublishing
    private let intake: Intake
    private let resolving: Resolving
    private let listing: DirectoryListing
    private let siblings: ChecksumSiblings
    private let files: FileAnswer
    private let database: any Database

    package init(
        publishing: FilePublishing, intake: Intake, resolving: Resolving, listing: DirectoryListing,
        checksums: BlobChecksums, files: FileAnswer, database: any Database
    ) {
        self.publishing = publishing
        self.intake = intake
        self.resolving = resolving
        self.listing = listing
        self.siblings = ChecksumSiblings(resolving: resolving, checksums: checksums)
        self.files = files
        self.database = database
    }

    package var routes: [Route] {
        let pattern = "/generic/{repoKey}/{path...}"
        return [
            // For anyone: it says nothing about the repository, which may not exist.
            .own("GET", "/generic/{repoKey}", "anyone", problem: GenericProblem.response) { call, _ in
                call.redirect(301, to: "/generic/\(try call.repoKey)/")
            },
            .own("GET", pattern, "read, or a repository that everyone may read", problem: GenericProblem.response) {
                call, _ in try await self.get(call)
            },
            .own(
                "PUT", pattern, "write (and promote where the repository asks for it)", problem: GenericProblem.response
            ) {
                call, identity in try await self.put(call, identity)
            },
            .own(
                "DELETE", pattern, "write (and promote where the repository asks for it)",
                problem: GenericProblem.response
            ) {
                call, identity in try await self.delete(call, identity)
            },
        ]
    }

    // MARK: - Reading

    private func get(_ call: Call) async throws -> Response {
        let key = try call.repoKey
        let text = call.values["path"] ?? ""
        if text.isEmpty || text.endsWithBytes(of: "/") { return try await self.list(text, key, call) }
        let path = try RelativePath(lookingUp: text)
        do {
            let file = try await self.resolving.file(
                FileRequest(generic: path), in: key, for: call.credential, correlation: call.correlation)
            let description = file.derivation.value {
                FileDescription(file, headers: ChecksumHeaders.of(file.digest, file.checksums))
            }
            return try await self.files.respond(description, to: call.request)
        } catch let refusal as Refusal where refusal.reason == .notFound {
            do {
                if let sibling = try await self.siblings.text(of: path, in: key, call) { return sibling }
            } catch let refusal as Refusal where refusal.reason == .notFound {}
            return try await self.folder(path, key, call, refusal)
        }
    }

    /// Answers for a path without a file: browsers are sent to the listing if it is a folder, others are told.
    ///
    /// - Throws: `not_found`.
    private func folder(
        _ path: RelativePath, _ key: RepoKey, _ call: Call, _ refusal: Refusal
    ) async throws -> Response {
        let scope = try await self.resolving.scope(of: key, for: call.credential, correlation: call.correlation)
        guard try await self.listing.isFolder(path.text, in: scope) else { throw refusal }
        let place: URLPath = "/generic/\(key)/\(path: path.text)/"
        if ListingAnswer.wantsHTML(call.request.headers) { return call.redirect(302, to: place) }
        throw Refusal(
            .notFound, "'\(path)' is a folder, not a file. Its listing is at \(call.path(to: place)).",
            ["listing": .string(call.path(to: place))])
    }

    /// - Throws: `bad_request` for a path that names a folder.
    private static func file(_ call: Call, _ rule: String) throws(Refusal) -> RelativePath {
        let text = call.values["path"] ?? ""
        guard !text.isEmpty, text.utf8.last != UInt8(ascii: "/") else {
            throw .badRequest(
                "'/\(text)' names a folder: \(rule) A path that does not end with '/' names a file.")
        }
        return try RelativePath(parsing: text)
    }

    private func list(_ folder: String, _ key: RepoKey, _ call: Call) async throws -> Response {
        if !folder.isEmpty { _ = try RelativePath(lookingUp: String(Substring(folder.utf8.dropLast()))) }
        let scope = try await self.resolving.scope(of: key, for: call.credential, correlation: call.correlation)
        let after = call.request.target.parameter("after")
        let page = try await self.listing.page(of: folder, after: after, in: scope)
        if page.entries.isEmpty, after == nil, !folder.isEmpty { throw Refusal.notFound("The folder '\(folder)'") }
        return ListingAnswer(key: key, folder: folder, page: page).response(to: call.request)
    }

    // MARK: - Writing

    private func put(_ call: Call, _ authenticator: Authenticator) async throws -> Response {
        let path = try Self.file(call, "folders cannot be written, they appear with the files in them.")
        let announced = try AnnouncedChecksums(call.request.headers)
        let condition = try WriteCondition(call.request.headers)
        if call.request.headers["content-range"] != nil {
            throw Refusal.badRequest("Content-Range is not taken with PUT: send the whole file.")
        }
        if let encoding = call.request.headers["content-encoding"]?.trimmedOrNil, encoding.lowercased() != "identity" {
            throw Refusal.badRequest("Content-Encoding '\(encoding)' is not taken: send the file's own bytes.")
        }
        let grant = try await authenticator.contentGrant(
            .write, on: call.repoKey, for: call.credential, correlation: call.correlation)
        var allowance: StorageAllowance?
        if Self.isWorthAsking(call.request) {
            allowance = try await self.publishing.probe(
                path, length: call.request.body.length, if: condition, under: grant, in: self.database)
        }
        let received = try await self.intake.receive(
            call.request.body, wanting: announced.functions, within: allowance)
        do {
            try announced.verify(received)
            let publication = try await self.publishing.publish(
                received, at: path, contentType: call.request.headers["content-type"]?.trimmedOrNil, if: condition,
                under: grant, commit: Commit(self.database))
            return Self.answer(publication, at: call.path(to: "/generic/\(grant.repo)/\(path: path.text)"))
        } catch let refusal as Refusal {
            await self.intake.discard(received)  // a fault may hide a commit: then the object must stay
            throw refusal
        }
    }

    /// Whether to look first if the file may be written at all: a few bytes that are on their way are received as soon.
    private static func isWorthAsking(_ request: Request) -> Bool {
        guard let length = request.body.length, request.headers["expect"] == nil else { return true }
        return length > 64 << 10
    }

    private static func answer(_ publication: FilePublication, at location: String) -> Response {
        var headers: Headers = ["ETag": EntityTag(publication.blob.digest.hex).description]
        for header in ChecksumHeaders.of(publication.blob.digest, publication.blob.checksums) {
            headers.append(header.name, header.value)
        }
        headers.append("X-Artifortress-Revision", String(publication.revision))
        if publication.replaced { return Response(204, headers: headers) }
        headers.append("Location", location)
        return Response(201, headers: headers)
    }

    private func delete(_ call: Call, _ authenticator: Authenticator) async throws -> Response {
        let path = try Self.file(call, "folders cannot be deleted, they disappear with the files in them.")
        let condition = try WriteCondition(call.request.headers)
        let grant = try await authenticator.contentGrant(
            .write, on: call.repoKey, for: call.credential, correlation: call.correlation)
        _ = try await self.publishing.delete(path, if: condition, under: grant, commit: Commit(self.database))
        return Response(204)
    }
}

extension WriteCondition {
    /// - Throws: `bad_request`.
    init(_ headers: Headers) throws(Refusal) {
        if let header = headers["if-none-match"]?.trimmedOrNil {
            guard header == "*" else { throw .badRequest("If-None-Match must be * where a file is written.") }
            self = .absent
        } else if let header = headers["if-match"]?.trimmedOrNil {
            var digests: [BlobDigest] = []
            if header != "*" {
                for tag in header.parts(at: ",", keepsEmpty: false) {
                    digests.append(try BlobDigest(parsing: tag.trimmed.filter { $0 != "\"" }))
                }
            }
            self = .present(digests)
        } else {
            self = .none
        }
    }
}
