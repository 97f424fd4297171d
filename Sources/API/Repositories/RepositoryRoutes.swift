// Repositories. Shapes: HTTP contract, 3.3 and section 9, rows 7, 13 and 28.

import Domain
import HTTP
package import Registry

package struct RepositoryRoutes: Sendable {
    private let repositories: Repositories

    package init(repositories: Repositories) { self.repositories = repositories }

    package var routes: [Route] {
        [
            .caller("GET", "/v1/repos") { _, caller in
                .json(200, .array(try await self.repositories.list(for: caller).map(\.json)))
            },
            .everyRepository("POST", "/v1/repos", .admin) { call, grant in try await self.create(call, grant) },
            .repository("GET", "/v1/repos/{repoKey}", .read) { _, grant in
                Self.shown(try await self.repositories.find(under: grant))
            },
            .repository("PUT", "/v1/repos/{repoKey}", .admin) { call, grant in try await self.update(call, grant) },
            .repository("DELETE", "/v1/repos/{repoKey}", .admin) { call, grant in
                try await call.commit { commit in
                    try await self.repositories.delete(under: grant, commit: commit)
                } answer: { key in
                    .json(200, ["repoKey": .string(key.text), "status": "deleted"])
                }
            },
        ]
    }

    private static func shown(_ repository: Repository) -> Response {
        var response = Response.json(200, repository.json)
        response.headers.set("ETag", repository.entityTag.description)
        return response
    }

    private func create(_ call: Call, _ grant: TenantGrant) async throws -> Response {
        let fields = try await call.fields()
        let draft = RepositoryDraft(
            key: try RepoKey(parsing: try fields.text("repoKey") ?? ""),
            kind: try fields.repositoryKind(named: fields.trimmedText("repoType")),
            format: try fields.trimmedText("format")?.lowercased(), settings: try fields.repositorySettings())
        return try await call.commit { commit in
            try await self.repositories.create(draft, under: grant, commit: commit)
        } answer: { repository in
            call.created(at: "/v1/repos/\(repository.key)", repository.json)
        }
    }

    /// Replaces settings, upstream and members. A type or a format that is named must be the one it has.
    private func update(_ call: Call, _ grant: Grant) async throws -> Response {
        let present = try await self.repositories.find(under: grant)
        let fields = try await call.fields()
        if let format = try fields.trimmedText("format")?.lowercased(), format != present.format {
            throw Refusal.badRequest("format cannot change.")
        }
        let kind = try fields.repositoryKind(named: fields.trimmedText("repoType") ?? present.kind.name)
        let settings = try fields.repositorySettings()
        let wanted = call.request.headers["if-match"]
        return try await call.commit { commit in
            try await self.repositories.update(
                to: kind, settings: settings,
                if: { repository in wanted.map { repository.entityTag.isNamed(byIfMatch: $0) } ?? true },
                under: grant, commit: commit)
        } answer: {
            Self.shown($0)
        }
    }
}

extension Fields {
    /// - Throws: `bad_request`.
    fileprivate func repositoryKind(named name: String?) throws(Refusal) -> RepositoryKind {
        switch name?.lowercased() {
        case "local": return .local
        case "remote": return .remote(upstream: try UpstreamURL.parse(try self.trimmedText("upstreamUrl") ?? ""))
        case "virtual":
            var members: [RepoKey] = []
            for text in try self.texts("memberRepos") ?? [] where !text.trimmed.isEmpty {
                let key = try RepoKey(parsing: text)
                if !members.contains(key) { members.append(key) }
            }
            guard !members.isEmpty else { throw .badRequest("memberRepos must name at least one repository.") }
            return .virtual(members: members)
        default: throw .badRequest("repoType must be 'local', 'remote' or 'virtual'.")
        }
    }

    /// The defaults where nothing is said.
    ///
    /// - Throws: `bad_request`.
    fileprivate func repositorySettings() throws(Refusal) -> RepositorySettings {
        guard let document = self.value("settings"), document != .null else { return RepositorySettings() }
        return try RepositorySettings(parsing: document)
    }
}

extension Repository {
    /// As `/v1` shows it.
    var json: JSON {
        var (upstream, members): (String?, [RepoKey]) = (nil, [])
        switch self.kind {
        case .local: break
        case .remote(let url): upstream = url
        case .virtual(let keys): members = keys
        }
        return [
            "repoKey": .string(self.key.text), "repoType": .string(self.kind.name), "upstreamUrl": JSON(upstream),
            "memberRepos": JSON(members.map(\.text)), "format": JSON(self.format), "settings": self.settings.json,
            "createdAtUtc": JSON(self.createdAt), "updatedAtUtc": JSON(self.updatedAt),
        ]
    }

    var entityTag: EntityTag { EntityTag(String(self.revision)) }
}
