// Evaluations by hand: what they decide, what they do to a publish, and when they are used up. Rules: HTTP contract, 3.6
// and section 9, row 5.

import Domain
import HTTP
import Persistence
import TestSupport
import Testing

@testable import artifortress

@Suite struct EvaluationTests {
    @Test(arguments: Engine.direct)
    func `a hint decides as the table says`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.completeDraft("p", token: token)
            for (hint, decision, source) in [
                (nil, "allow", "default_allow"), ("ALLOW", "allow", "hint_allow"), ("deny", "deny", "hint_deny"),
                ("Quarantine", "quarantine", "hint_quarantine"),
            ] as [(String?, String, String)] {
                let answer = try await server.evaluate(
                    id, "Publish", hint: hint, reason: " why ", engine: " ", token: token)
                #expect(answer.status == 201, "\(answer.text)")
                #expect(
                    answer.json["decision"] == .string(decision) && answer.json["decisionSource"] == .string(source))
                #expect(answer.json["action"] == "publish" && answer.json["reason"] == "why")
                #expect(answer.json["policyEngineVersion"] == .null && answer.json["versionId"] == .string(id))
                #expect(answer.json["quarantined"] == .bool(decision == "quarantine"))
                let number = try #require(answer.json["evaluationId"]?.integer)
                #expect(answer.headers["location"] == "/v1/repos/pkgs/policy/evaluations/\(number)")
                let shown = try await server.send("GET", answer.headers["location"] ?? "", token: token)
                #expect(shown.json["details"]?["decisionSource"] == .string(source))
                #expect(shown.json["details"]?["versionState"] == "draft" && shown.json["spentAtUtc"] == .null)
            }
            let audit = try await server.audit(token, "action=policy.evaluated")
            #expect(audit.count == 4 && audit[0]["details"]?["quarantineId"] != nil)
            #expect(audit[0]["resourceType"] == "policy_evaluation" && audit[1]["details"]?["quarantineId"] == nil)
        }
    }

    @Test(arguments: Engine.direct)
    func `bad input is refused and changes nothing`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.completeDraft("p", token: token)
            for (name, value) in [
                ("action", "read"), ("action", .null), ("versionId", "x"), ("versionId", .null), ("decisionHint", "no"),
                ("reason", " "), ("reason", .null), ("versionId", .string(UniqueID.zero.description)),
                ("reason", .string(String(repeating: "r", count: 4097))),
                ("policyEngineVersion", .string(String(repeating: "v", count: 257))),
            ] as [(String, JSON)] {
                var members: [String: JSON] = ["action": "publish", "versionId": .string(id), "reason": "r"]
                members[name] = value
                let body = JSON.object(members.map { JSON.Member($0.key, $0.value) })
                let answer = try await server.send("POST", "/v1/repos/pkgs/policy/evaluations", token: token, body)
                #expect(answer.status == 400 && answer.json["error"] == "bad_request", "\(name): \(answer.text)")
            }
            #expect(try await server.evaluate(UniqueID.random().description, token: token).status == 404)
            #expect(try await server.count("policy_evaluations") == 0)
        }
    }

    @Test(arguments: Engine.direct)
    func `the strictest of rules and evaluations counts, for the content that was judged`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.completeDraft("p", token: token)
            #expect(try await server.evaluate(id, hint: "deny", reason: "not now", token: token).status == 201)
            #expect(try await server.evaluate(id, hint: "allow", token: token).status == 201)
            for _ in 0..<2 {
                let denied = try await server.publish(id, token: token)
                #expect(
                    denied.status == 409 && denied.json["reason"]?.text?.contains("not now") == true, "\(denied.text)")
            }
            // One for promotions doesn't matter here; one for other content doesn't either.
            let digest = try await server.commit([7], in: "pkgs")
            #expect(try await server.putEntry("more", digest, length: 1, of: id, token: token).status == 200)
            #expect(try await server.evaluate(id, "promote", hint: "deny", token: token).status == 201)
            #expect(try await server.publish(id, token: token).status == 200)
            // The same content again doesn't shed what was said of it.
            let held = try await server.completeDraft("h", token: token)
            #expect(try await server.evaluate(held, hint: "deny", token: token).status == 201)
            let same: JSON = ["id": "h", "version": "1.0.0", "name": "h"]
            #expect(try await server.putManifest(same, of: held, token: token).status == 200)
            let file = try await server.commit(Array("content".utf8), in: "pkgs")
            #expect(try await server.putEntry("file.bin", file, length: 7, of: held, token: token).status == 200)
            #expect(try await server.publish(held, token: token).status == 409)
            // A hint can't make a rule milder.
            try await server.setRules([["name": "none", "check": "name", "deny": ["*"]]], token: token)
            let other = try await server.completeDraft("q", token: token)
            let judged = try await server.evaluate(other, hint: "allow", token: token)
            #expect(judged.json["decision"] == "deny" && judged.json["decisionSource"] == "rules_deny")
            #expect(try await server.publish(other, token: token).status == 409)
            // What rules said then doesn't outlive them.
            try await server.setRules([], token: token)
            #expect(try await server.publish(other, token: token).status == 200)
        }
    }

    @Test(arguments: Engine.direct)
    func `who withholds is heard also where the rules deny`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.published("p", token: token)
            try await server.setRules([["name": "none", "check": "name", "deny": ["*"]]], token: token)
            let made = try await server.evaluate(id, hint: "quarantine", reason: "CVE", token: token)
            #expect(made.json["decision"] == "deny" && made.json["quarantined"] == true, "\(made.text)")
            #expect(
                try await server.send("GET", "/v1/repos/pkgs/packages/npm/p/versions/1.0.0", token: token).status == 423
            )
        }
    }

    @Test(arguments: Engine.direct)
    func `a rejected draft stays rejected when it is published`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.completeDraft("p", token: token)
            let made = try await server.evaluate(id, hint: "quarantine", token: token)
            let item = try #require(made.json["quarantineId"]?.text)
            #expect(try await server.resolve(item, "reject", token: token).status == 200)
            try await server.setRules(
                [["name": "look", "check": "name", "deny": ["*"], "effect": "quarantine"]], token: token)
            let published = try await server.publish(id, token: token)
            #expect(published.status == 200 && published.json["quarantineId"] == .string(item))
            let shown = try await server.send("GET", "/v1/repos/pkgs/quarantine/\(item)", token: token)
            #expect(shown.json["status"] == "rejected")
            let again = try await server.publish(id, token: token)
            #expect(again.json["idempotent"] == true && again.json["quarantineId"] == .string(item))
        }
    }

    @Test(arguments: Engine.direct)
    func `a quarantine by hand holds over the publish, and is used up by its release`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.completeDraft("p", token: token)
            let first = try await server.evaluate(id, hint: "quarantine", token: token)
            let item = try #require(first.json["quarantineId"]?.text)
            let published = try await server.publish(id, token: token)
            #expect(published.status == 200 && published.json["quarantineId"] == .string(item), "\(published.text)")
            let view = "/v1/repos/pkgs/packages/npm/p/versions/1.0.0"
            #expect(try await server.send("GET", view, token: token).status == 423)
            #expect(try await server.evaluations(token: token)[0]["spentAtUtc"] != .null)
            #expect(try await server.resolve(item, "release", token: token).status == 200)
            #expect(try await server.send("GET", view, token: token).status == 200)

            // Released before its publish, a draft comes out visible.
            let draft = try await server.completeDraft("q", token: token)
            let again = try await server.evaluate(draft, hint: "quarantine", token: token)
            let second = try #require(again.json["quarantineId"]?.text)
            #expect(try await server.resolve(second, "release", token: token).status == 200)
            let open = try await server.publish(draft, token: token)
            #expect(open.status == 200 && open.json["quarantineId"] == nil, "\(open.text)")
            #expect(
                try await server.send("GET", "/v1/repos/pkgs/packages/npm/q/versions/1.0.0", token: token).status == 200
            )

            // An item of other content that nobody has decided still hides, and the publisher is told.
            let changed = try await server.completeDraft("r", token: token)
            _ = try await server.evaluate(changed, hint: "quarantine", token: token)
            let digest = try await server.commit([7], in: "pkgs")
            _ = try await server.putEntry("more", digest, length: 1, of: changed, token: token)
            let hidden = try await server.publish(changed, token: token)
            #expect(hidden.status == 200 && hidden.json["quarantineId"] != nil, "\(hidden.text)")
        }
    }

    @Test(arguments: Engine.direct)
    func `a published version is hidden by an evaluation, and its item comes back with the same id`(
        engine: Engine
    ) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.published("p", token: token)
            let first = try await server.evaluate(id, hint: "quarantine", reason: "one", token: token)
            let item = try #require(first.json["quarantineId"]?.text)
            #expect(try await server.resolve(item, "release", token: token).status == 200)
            let second = try await server.evaluate(id, hint: "quarantine", reason: "two", token: token)
            #expect(second.json["quarantineId"] == .string(item))
            let shown = try await server.send("GET", "/v1/repos/pkgs/quarantine/\(item)", token: token)
            #expect(shown.json["status"] == "quarantined" && shown.json["reason"] == "two")
            #expect(shown.json["resolvedAtUtc"] == .null && shown.json["resolvedBySubject"] == .null)
            #expect(
                try await server.eventTypes(token: token) == [
                    "version.quarantined", "version.released", "version.quarantined",
                ])
        }
    }

    @Test(arguments: Engine.direct)
    func `a drill times out as the real thing does`(engine: Engine) async throws {
        let settings = ["policy.allowSimulatedTimeout": "true", "policy.evaluationTimeoutMs": "20"]
        try await Installation.with(engine, settings) { server in
            let token = try await server.withPackages()
            let id = UniqueID.random().description  // it isn't looked at first
            let answer = try await server.evaluate(id, engine: "Simulate_Timeout", token: token)
            #expect(answer.status == 503 && answer.json["error"] == "policy_timeout")
            #expect(answer.json["failClosed"] == true && answer.json["timeoutMs"] == 20)
            #expect(answer.json["action"] == "publish")
            let audit = try await server.audit(token, "action=policy.timeout")
            #expect(audit.count == 1 && audit[0]["resourceId"] == .string(id))
            #expect(audit[0]["details"]?["failClosed"] == "true" && audit[0]["details"]?["timeoutMs"] == "20")
            #expect(try await server.count("policy_evaluations") == 0)
        }
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.completeDraft("p", token: token)
            let answer = try await server.evaluate(id, engine: "simulate_timeout", token: token)
            #expect(answer.status == 201 && answer.json["policyEngineVersion"] == "simulate_timeout")
        }
    }
}
