// `artifortress tenant` and `artifortress token`, with a server on the data directory and without one. Rules: HTTP
// contract, section 9, rows 34 and 35.

import Domain
import Foundation
import TestSupport
import Testing

@Suite struct IdentityVerbTests {
    private func run(_ server: ServerProcess, _ words: String...) async throws -> VerbProcess {
        try await VerbProcess.run(words + ["--data", server.settings["data"] ?? ""])
    }

    @Test func `tenants and tokens are made while the server runs, and beside it`() async throws {
        try await Shape.embedded.withServer { server in
            let made = try await self.run(server, "tenant", "create", "acme", "--name", "Acme", "--subject", "Ann")
            #expect(made.code == 0, "\(made.complaints)")
            let who = try await server.get("/v1/auth/whoami", token: made.line)
            #expect(who.status == 200 && who.text.contains("\"subject\":\"ann\""))
            let again = try await self.run(server, "tenant", "create", "acme")
            #expect(again.code == 1 && again.complaints.contains("exists already"))

            let issued = try await self.run(
                server, "token", "issue", "--tenant", "acme", "--subject", "ci", "--scope", "repo:*:read", "--output",
                "json")
            let document = try JSON(parsing: issued.output)
            let token = try #require(document["token"]?.text)
            let id = try #require(document["tokenId"]?.text)
            #expect(try await server.get("/v1/repos", token: token).status == 200)
            let list = try await self.run(server, "token", "list", "--tenant", "acme")
            #expect(list.output.contains(id) && list.output.contains("repo:*:read") && !list.output.contains(token))
            let revoked = try await self.run(server, "token", "revoke", id, "--tenant", "acme")
            #expect(revoked.code == 0)
            #expect(try await server.get("/v1/repos", token: token).status == 401)  // at once
            #expect(try await self.run(server, "token", "revoke", id, "--tenant", "acme").code == 1)

            _ = try await self.run(server, "tenant", "disable", "acme")
            #expect(try await server.get("/v1/auth/whoami", token: made.line).status == 401)
            #expect(try await server.stop() == 0)

            // Without a server: directly.
            let tenants = try await self.run(server, "tenant", "list")
            #expect(tenants.code == 0, "\(tenants.complaints)")
            #expect(tenants.output.contains("acme\t") && tenants.output.contains("disabled"))
            _ = try await self.run(server, "tenant", "enable", "acme")
            try await server.start()
            #expect(try await server.get("/v1/auth/whoami", token: made.line).status == 200)
        }
    }

    @Test func `the bootstrap token is replaced and switched off`() async throws {
        try await TemporaryDirectory.with { directory in
            let server = ServerProcess(
                directory: directory, settings: ["data": "\(directory)/data", "listen": "127.0.0.1:0"])
            defer { server.kill() }
            try await server.start()
            func issue(_ bootstrap: String) async throws -> Int {
                try await server.client.send(
                    "POST", "/v1/auth/pats",
                    headers: [("X-Bootstrap-Token", bootstrap), ("Content-Type", "application/json")],
                    body: Array(#"{"subject":"x","ttlMinutes":5,"scopes":["repo:*:read"]}"#.utf8)
                ).status
            }
            let file = (server.settings["data"] ?? "") + "/bootstrap-token"
            let first = try String(contentsOfFile: file, encoding: .utf8)
                .trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(try await issue(first) == 200)
            let rotated = try await self.run(server, "token", "bootstrap", "rotate")
            #expect(rotated.code == 0 && rotated.line != first)
            #expect(try await issue(first) == 403)
            #expect(try await issue(rotated.line) == 200)
            #expect(!FileManager.default.fileExists(atPath: file))
            #expect(try await self.run(server, "token", "bootstrap", "disable").code == 0)
            #expect(try await issue(rotated.line) == 403)
        }
    }

    @Test(arguments: [
        ["tenant", "create"], ["token", "issue"], ["token", "list", "--nonsense"], ["token"], ["tenant", "nonsense"],
        ["token", "issue", "--subject", "x", "--ttl-minutes", "soon"],
    ])
    func `what can't be understood ends with 2 and a word about it`(words: [String]) async throws {
        let verb = try await VerbProcess.run(words)
        #expect(verb.code == 2 && !verb.complaints.isEmpty && verb.output.isEmpty)
    }

    @Test(arguments: [
        ["tenant", "--help"], ["tenant", "create", "--help"], ["token", "issue", "--help"],
        ["token", "bootstrap", "rotate", "--help"],
    ])
    func `every verb tells what it is for`(words: [String]) async throws {
        let verb = try await VerbProcess.run(words)
        #expect(
            verb.code == 0 && verb.output.contains("Usage: artifortress \(words.dropLast().joined(separator: " "))"))
    }
}
