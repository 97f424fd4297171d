// Roles on a repository. Shapes: HTTP contract, 3.3 and 7.4.

import Domain
import HTTP
package import Registry

package struct BindingRoutes: Sendable {
    private let bindings: RepositoryBindings

    package init(bindings: RepositoryBindings) { self.bindings = bindings }

    package var routes: [Route] {
        let one = "/v1/repos/{repoKey}/bindings/{subject}"
        return [
            .repository("GET", "/v1/repos/{repoKey}/bindings", .admin) { _, grant in
                .json(200, .array(try await self.bindings.list(under: grant).map { $0.json(in: grant.repo) }))
            },
            .repository("PUT", one, .admin) { call, grant in try await self.bind(call, grant) },
            .repository("DELETE", one, .admin) { call, grant in try await self.unbind(call, grant) },
        ]
    }

    private func bind(_ call: Call, _ grant: Grant) async throws -> Response {
        let subject = try call.subject
        _ = try await self.bindings.list(under: grant)  // the repository's 404 comes before the body's 400
        let roles = try Role.list(parsing: try await call.fields().texts("roles") ?? [])
        return try await call.commit { commit in
            try await self.bindings.bind(subject, to: roles, under: grant, commit: commit)
        } answer: { binding in
            .json(200, binding.json(in: grant.repo))
        }
    }

    private func unbind(_ call: Call, _ grant: Grant) async throws -> Response {
        let subject = try call.subject
        return try await call.commit { commit in
            try await self.bindings.unbind(subject, under: grant, commit: commit)
        } answer: { isDeleted in
            .json(
                200,
                [
                    "repoKey": .string(grant.repo.text), "subject": .string(subject.text), "deleted": .bool(isDeleted),
                ])
        }
    }
}

extension RoleBinding {
    /// - Parameter repo: nil for a binding on the tenant.
    func json(in repo: RepoKey? = nil) -> JSON {
        let members: [JSON.Member] = [
            JSON.Member("subject", .string(self.subject.text)), JSON.Member("roles", JSON(self.roles.map(\.rawValue))),
            JSON.Member("updatedAtUtc", JSON(self.updatedAt)),
        ]
        return .object((repo.map { [JSON.Member("repoKey", .string($0.text))] } ?? []) + members)
    }
}
