// What tests of virtual repositories begin with.

import Domain
import HTTP
import Persistence
import TestSupport
import Testing

@testable import artifortress

extension Installation {
    func createVirtual(_ key: String, of members: [String], settings: JSON = [:], token: String) async throws {
        let answer = try await self.send(
            "POST", "/v1/repos", token: token,
            [
                "repoKey": .string(key), "repoType": "virtual", "memberRepos": JSON(members), "settings": settings,
            ])
        try #require(answer.status == 201, "\(answer.status) \(answer.text)")
    }

    /// Replaces members and settings.
    func updateVirtual(
        _ key: String, to members: [String], settings: JSON = [:], token: String
    ) async throws -> Answer {
        try await self.send(
            "PUT", "/v1/repos/\(key)", token: token, ["memberRepos": JSON(members), "settings": settings])
    }

    func putFile(_ path: String, _ text: String, in repo: String, token: String) async throws -> Answer {
        try await self.send(
            "PUT", "/generic/\(repo)/\(path)", headers: [("Authorization", "Bearer \(token)")], body: Array(text.utf8))
    }

    /// The status, and the text of a 200.
    func file(_ path: String, in repo: String, token: String?) async throws -> String {
        let answer = try await self.send("GET", "/generic/\(repo)/\(path)", token: token)
        return answer.status == 200 ? answer.text : String(answer.status)
    }

    /// The names in a folder.
    func names(_ folder: String = "", in repo: String, token: String?) async throws -> [String] {
        let answer = try await self.send("GET", "/generic/\(repo)/\(folder)", token: token)
        guard answer.status == 200 else { return [String(answer.status)] }
        return (answer.json["entries"]?.elements ?? []).map { $0["name"]?.text ?? "?" }
    }

    /// Puts the published version of a package in quarantine.
    func withhold(_ package: String, in repo: String) async throws {
        try await self.execute(
            """
            INSERT INTO quarantine_items (tenant_id, repo_id, version_id, status, reason)
            SELECT v.tenant_id, v.repo_id, v.version_id, 'quarantined', 'test' FROM package_versions v
            JOIN packages p ON p.package_id = v.package_id JOIN repos r ON r.repo_id = v.repo_id
            WHERE r.repo_key = \(repo) AND p.name = \(package) AND v.state = 'published'
                AND NOT EXISTS (SELECT 1 FROM package_versions w WHERE w.package_id = v.package_id
                    AND w.state = 'published' AND w.sort_key > v.sort_key)
            ON CONFLICT (version_id) DO NOTHING
            """)
    }
}
