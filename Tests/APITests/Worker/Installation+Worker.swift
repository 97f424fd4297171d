// What tests of background work do: let the worker work, and read what came of it.

import Domain
import Persistence
import Registry
import TestSupport
import Testing
import Worker

@testable import artifortress

extension Installation {
    /// Lets the worker do everything about the search that is due.
    func index() async throws { try await self.serving.searchWork.drain() }

    /// What a search finds: `name@version`, in order.
    func found(
        _ query: String, in repo: String = "pkgs", token: String
    ) async throws -> [String] {
        let answer = try await self.send("GET", "/v1/repos/\(repo)/search/packages?\(query)", token: token)
        try #require(answer.status == 200, "\(answer.status) \(answer.text)")
        return (answer.json["items"]?.elements ?? []).map {
            "\($0["packageName"]?.text ?? "?")@\($0["version"]?.text ?? "?")"
        }
    }

    func texts(_ statement: SQL) async throws -> [String] {
        try await self.database.lookup { try $0.all(statement, as: { try $0[0] as String }) }
    }

    /// As text, for the versions' ids of the API.
    func version(_ id: String) throws -> VersionID { VersionID(try #require(UniqueID(id))) }

    func quarantine(_ version: String, as status: QuarantineStatus) async throws {
        let id = try self.version(version)
        let tenant = self.deployment.defaultTenant
        try await self.execute(
            """
            INSERT INTO quarantine_items (tenant_id, repo_id, version_id, status, reason)
            SELECT \(tenant), repo_id, version_id, \(status), 'test' FROM package_versions WHERE version_id = \(id)
            ON CONFLICT (version_id) DO UPDATE SET status = excluded.status
            """)
    }
}
