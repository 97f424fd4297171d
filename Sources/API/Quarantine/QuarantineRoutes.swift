// Versions in quarantine. Shapes: HTTP contract, 3.6.

import Domain
import HTTP
import Persistence
package import Registry

package struct QuarantineRoutes: Sendable {
    private let quarantining: Quarantining

    package init(quarantining: Quarantining) { self.quarantining = quarantining }

    package var routes: [Route] {
        let path = "/v1/repos/{repoKey}/quarantine"
        let one = "\(path)/{quarantineId}"
        return [
            .repository(
                "GET", path, .promote,
                check: { _ = try $0.request.target.word("status") as QuarantineStatus? },
                { call, grant in try await self.list(call, grant) }),
            .repository("GET", one, .promote) { call, grant in
                let item = try await self.quarantining.find(call.id("quarantineId"), under: grant)
                return .json(200, .object(item.members(in: grant.repo)))
            },
            .repository("POST", "\(one)/release", .promote) { call, grant in
                try await self.resolve(.release, call, grant)
            },
            .repository("POST", "\(one)/reject", .promote) { call, grant in
                try await self.resolve(.reject, call, grant)
            },
        ]
    }

    /// A `Link` leads to the next page.
    private func list(_ call: Call, _ grant: Grant) async throws -> Response {
        let target = call.request.target
        let limit = target.count("limit", default: 1000, atMost: 1000)
        var position: QuarantineStore.Position?
        if let cursor = try call.cursor {
            guard cursor.count == 2, let time = Timestamp(rfc3339: cursor[0]), let id = UniqueID(cursor[1]) else {
                throw Refusal.badRequest("after must be what the Link of a page says.")
            }
            position = (time, QuarantineID(id))
        }
        let status: QuarantineStatus? = try target.word("status")
        let items = try await self.quarantining.list(status, after: position, limit: limit, under: grant)
        var response = Response.json(200, .array(items.map { .object($0.members(in: grant.repo)) }))
        if items.count == limit, let last = items.last {
            let cursor = Cursor.text(of: [last.createdAt.description, last.id.description])
            let query =
                [(name: "after", value: cursor), ("limit", String(limit))]
                + (status.map { [("status", $0.rawValue)] } ?? [])
            call.setNext("/v1/repos/\(grant.repo)/quarantine\(query: query)", of: &response)
        }
        return response
    }

    private func resolve(_ decision: QuarantineDecision, _ call: Call, _ grant: Grant) async throws -> Response {
        let id: QuarantineID = try call.id("quarantineId")
        return try await call.commit { commit in
            try await self.quarantining.resolve(id, as: decision, under: grant, commit: commit)
        } answer: { item in
            .json(200, .object(item.members(in: grant.repo) + [.init("approvalId", .null)]))
        }
    }
}

extension QuarantineItem {
    fileprivate func members(in repo: RepoKey) -> [JSON.Member] {
        [
            .init("quarantineId", JSON(self.id)), .init("repoKey", .string(repo.text)),
            .init("versionId", JSON(self.version)), .init("status", .string(self.status.rawValue)),
            .init("reason", .string(self.reason)), .init("createdAtUtc", JSON(self.createdAt)),
            .init("resolvedAtUtc", JSON(self.resolvedAt)), .init("resolvedBySubject", JSON(self.resolvedBy)),
        ]
    }
}
