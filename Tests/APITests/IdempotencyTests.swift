// A request is done once, however often it is sent. Rules: HTTP contract, section 9, row 20.

import Domain
import Foundation
import HTTP
import Persistence
import Registry
import TestSupport
import Testing
import Threads

@testable import artifortress

@Suite struct IdempotencyTests {
    private static func repository(_ key: String) -> JSON { ["repoKey": .string(key), "repoType": "local"] }

    @Test(arguments: Engine.direct)
    func `the same body gets the same answer, and nothing is done twice`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.token()
            let first = try await server.send("POST", "/v1/repos", token: token, key: "k1", Self.repository("alpha"))
            #expect(first.status == 201)
            let second = try await server.send("POST", "/v1/repos", token: token, key: "k1", Self.repository("alpha"))
            #expect(second.status == 201 && second.body == first.body)
            #expect(second.headers["location"] == "/v1/repos/alpha")
            #expect(second.headers["content-type"] == first.headers["content-type"])
            #expect(first.headers["idempotent-replayed"] == nil && second.headers["idempotent-replayed"] == "true")
            #expect(try await server.audit(token, "action=repo.created").count == 1)
        }
    }

    @Test(arguments: Engine.direct)
    func `another body is refused, another caller or path is not concerned`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let (one, other) = (
                try await server.token(subject: "one"), try await server.token(subject: "other")
            )
            _ = try await server.send("POST", "/v1/repos", token: one, key: "k", Self.repository("alpha"))
            let reused = try await server.send("POST", "/v1/repos", token: one, key: "k", Self.repository("beta"))
            #expect(reused.status == 422 && reused.error == "idempotency_key_reused")
            let others = try await server.send("POST", "/v1/repos", token: other, key: "k", Self.repository("beta"))
            #expect(others.status == 201)
            let elsewhere = try await server.send(
                "POST", "/v1/admin/auth/pats/revoke-subject", token: one, key: "k", ["subject": "nobody"])
            #expect(elsewhere.status == 200)
        }
    }

    @Test(arguments: Engine.direct)
    func `refusals that the request earned are kept, others are not`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.token()
            let refused = try await server.send("POST", "/v1/repos", token: token, key: "bad", ["repoKey": "a:b"])
            #expect(refused.status == 400)
            let again = try await server.send("POST", "/v1/repos", token: token, key: "bad", ["repoKey": "a:b"])
            #expect(again.status == 400 && again.body == refused.body)
            #expect(again.headers["idempotent-replayed"] == "true")

            let revoke: JSON = ["tokenId": .string(UniqueID.random().description)]
            let missing = try await server.send("POST", "/v1/auth/pats/revoke", token: token, key: "404", revoke)
            #expect(missing.status == 404)

            let reader = try await server.token(["repo:*:read"], subject: "tester")  // the same subject
            let denied = try await server.send("POST", "/v1/repos", token: reader, key: "new", Self.repository("gamma"))
            #expect(denied.status == 403)
            let allowed = try await server.send("POST", "/v1/repos", token: token, key: "new", Self.repository("gamma"))
            #expect(allowed.status == 201)
            // Authorized before replay: who may not do it is not told what it gave.
            let spy = try await server.send("POST", "/v1/repos", token: reader, key: "new", Self.repository("gamma"))
            #expect(spy.status == 403)
        }
    }

    @Test(arguments: Engine.direct)
    func `an answer with a secret is not kept, only its id`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.token()
            let body: JSON = ["subject": "robot", "ttlMinutes": 5, "scopes": ["repo:*:read"]]
            let issued = try await server.send("POST", "/v1/auth/pats", token: token, key: "t", body)
            #expect(issued.status == 200)
            let again = try await server.send("POST", "/v1/auth/pats", token: token, key: "t", body)
            #expect(again.status == 409 && again.error == "idempotency_replayed")
            #expect(again.json["tokenId"] == issued.json["tokenId"] && again.json["token"] == nil)
            let secret = try #require(issued.json["token"]?.text)
            let kept = try await server.database.lookup {
                try $0.all("SELECT answer FROM idempotency_keys", as: { try $0[0] as String? })
            }
            #expect(!kept.contains { $0?.contains(secret) == true })
        }
    }

    @Test(arguments: Engine.direct)
    func `of rivals with one key one acts and all are answered the same`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.token()
            let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        try await server.send("POST", "/v1/repos", token: token, key: "race", Self.repository("alpha"))
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.allSatisfy { $0.status == 201 }, "\(answers.map(\.status))")
            #expect(Set(answers.map(\.body)).count == 1)
            #expect(try await server.audit(token, "action=repo.created").count == 1)
        }
    }

    @Test(arguments: Engine.direct)
    func `a key is forgotten after a day`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.token()
            _ = try await server.send("POST", "/v1/repos", token: token, key: "k", Self.repository("alpha"))
            _ = try await server.send("POST", "/v1/repos", token: token, key: "l", Self.repository("beta"))
            let yesterday = server.deployment.clock.now() + -86_401
            _ = try await server.database.transaction {
                try $0.execute("UPDATE idempotency_keys SET created_at = \(yesterday)")
            }
            let fresh = try await server.send("POST", "/v1/repos", token: token, key: "k", Self.repository("gamma"))
            #expect(fresh.status == 201)
            let swept = try await IdempotencySweep(database: server.database, clock: server.deployment.clock).run()
            #expect(swept == 1)
            #expect(try await server.count("idempotency_keys") == 1)
        }
    }

    @Test func `a key that is none is refused`() async throws {
        try await Installation.with(.sqlite) { server in
            let token = try await server.token()
            for key in ["", "  ", String(repeating: "k", count: 256), "schl\u{fc}ssel"] {
                let answer = try await server.send("POST", "/v1/repos", token: token, key: key, Self.repository("a"))
                #expect(answer.status == 400 && answer.error == "bad_request")
            }
        }
    }

    @Test func `a very long path is no trouble`() async throws {
        try await Installation.with(.sqlite) { server in
            let token = try await server.token()
            let path = "/v1/repos?\(String(repeating: "x", count: 5000))=1"
            let answer = try await server.send("POST", path, token: token, key: "k", Self.repository("a"))
            #expect(answer.status == 201)
        }
    }
}
