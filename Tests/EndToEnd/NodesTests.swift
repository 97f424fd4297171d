// Several processes on one PostgreSQL: what one forbids, the others refuse. Source: architecture, I9.

import Domain
import Foundation
import PostgreSQL
import TestSupport
import Testing

@Suite(.enabled(if: Engine.postgreSQL.address != nil), .serialized) struct NodesTests {
    /// Calls `body` with two servers on one database and one storage.
    private func withNodes(_ body: @Sendable (ServerProcess, ServerProcess) async throws -> Void) async throws {
        let directory = NSTemporaryDirectory() + "artifortress-nodes-\(UniqueID.random().hex)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await Engine.postgreSQL.withPlace(of: Template(migrated: Engine.postgreSQL.migrations)) { place in
            guard case .server(let address, _) = place else { return }
            var nodes: [ServerProcess] = []
            defer { for node in nodes { node.kill() } }
            for name in ["one", "two"] {
                let home = "\(directory)/\(name)"
                try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
                let node = ServerProcess(
                    directory: home,
                    settings: [
                        "data": "\(home)/data", "listen": "127.0.0.1:0", "auth.bootstrapToken": "test-bootstrap",
                        "database.url": try Shape.postgreSQLURL(database: address.database ?? ""),
                        "database.poolSize": "4", "storage.url": "file:\(directory)/objects",
                        "secrets.key": String(repeating: "5a", count: 32),  // processes on one database share it
                    ])
                nodes.append(node)
                try await node.start()
            }
            try await body(nodes[0], nodes[1])
        }
    }

    @Test func `a token revoked on one node is refused at once there, and within five seconds on the other`()
        async throws
    {
        try await self.withNodes { one, two in
            let admin = try await one.token()
            try await one.createRepository("files", token: admin)
            let put = try await one.put("/generic/files/a", Array("a".utf8), token: admin)
            #expect(put.status == 201)
            for (issuer, subject) in [(one, "eve"), (two, "bob")] {
                let token = try await issuer.token(subject)
                // Both know it, in every way of asking.
                for node in [one, two] {
                    for path in ["/v1/repos", "/generic/files/a"] {
                        #expect(try await node.get(path, token: token).status == 200)
                    }
                }
                let revoked = try await one.post(
                    "/v1/admin/auth/pats/revoke-subject", ["subject": .string(subject)], token: admin)
                #expect(revoked.status == 200)
                #expect(try await one.get("/v1/repos", token: token).status == 401)
                #expect(try await one.get("/generic/files/a", token: token).status == 401)
                let isRefused = try await eventually {
                    let statuses = [
                        try await two.get("/v1/repos", token: token).status,
                        try await two.get("/generic/files/a", token: token).status,
                    ]
                    return statuses == [401, 401]
                }
                #expect(isRefused)
            }
        }
    }

    @Test func `rivals on two nodes with one key act once`() async throws {
        try await self.withNodes { one, two in
            let token = try await one.token()
            let body: JSON = ["repoKey": "alpha", "repoType": "local"]
            let answers = try await withThrowingTaskGroup(of: WireAnswer.self) { group in
                for index in 0..<12 {
                    group.addTask {
                        let node = index.isMultiple(of: 2) ? one : two
                        return try await node.client.send(
                            "POST", "/v1/repos",
                            headers: [
                                ("Authorization", "Bearer \(token)"), ("Content-Type", "application/json"),
                                ("Idempotency-Key", "rivals"),
                            ], body: body.bytes)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.allSatisfy { $0.status == 201 && $0.body == answers[0].body })
        }
    }
}
