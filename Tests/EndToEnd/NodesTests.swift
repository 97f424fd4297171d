// Several processes on one PostgreSQL: what one forbids, the others refuse. Source: architecture, I9.

import Domain
import TestSupport
import Testing

@Suite(.enabled(if: Engine.postgreSQL.address != nil), .serialized) struct NodesTests {
    /// Calls `body` with two servers on one database and one storage.
    private func withNodes(_ body: @Sendable (ServerProcess, ServerProcess) async throws -> Void) async throws {
        try await SharedStores.with { stores in
            let (one, two) = (try stores.server("one"), try stores.server("two"))
            defer {
                one.kill()
                two.kill()
            }
            try await one.start()
            try await two.start()
            try await body(one, two)
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
