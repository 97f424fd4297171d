// What most end-to-end tests do first: a token, a repository, a file.

package import Domain
import Foundation

extension ServerProcess {
    /// A token of the default tenant, issued with the bootstrap token of ``Shape/withServer(_:_:)``.
    package func token(_ subject: String = "tester", scopes: [String] = ["repo:*:admin"]) async throws -> String {
        let answer = try await self.client.send(
            "POST", "/v1/auth/pats",
            headers: [("X-Bootstrap-Token", "test-bootstrap"), ("Content-Type", "application/json")],
            body: JSON.object([
                .init("subject", .string(subject)), .init("ttlMinutes", 60), .init("scopes", JSON(scopes)),
            ]).bytes)
        guard answer.status == 200, let token = try JSON(parsing: answer.body)["token"]?.text else {
            throw WireFailure(description: "no token: \(answer.status) \(answer.text)")
        }
        return token
    }

    package func createRepository(
        _ key: String, settings: JSON = [:], token: String
    ) async throws {
        let answer = try await self.post(
            "/v1/repos", ["repoKey": .string(key), "repoType": "local", "settings": settings], token: token)
        guard answer.status == 201 else {
            throw WireFailure(description: "no repository: \(answer.status) \(answer.text)")
        }
    }

    package func post(_ path: String, _ body: JSON, token: String) async throws -> WireAnswer {
        try await self.client.send(
            "POST", path, headers: [("Authorization", "Bearer \(token)"), ("Content-Type", "application/json")],
            body: body.bytes)
    }

    package func get(
        _ path: String, token: String?, headers: [(String, String)] = []
    ) async throws -> WireAnswer {
        try await self.client.send(
            "GET", path, headers: (token.map { [("Authorization", "Bearer \($0)")] } ?? []) + headers)
    }

    package func put(
        _ path: String, _ body: [UInt8], token: String, headers: [(String, String)] = [], chunked: Bool = false
    ) async throws -> WireAnswer {
        try await self.client.send(
            "PUT", path, headers: [("Authorization", "Bearer \(token)")] + headers, body: body, chunked: chunked)
    }
}
