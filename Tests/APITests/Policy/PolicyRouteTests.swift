// A repository's rules: how they are laid down, and what they do to a publish. Rules: docs/policy.md; HTTP contract,
// section 9, row 5.

import Domain
import HTTP
import Persistence
import TestSupport
import Testing

@testable import artifortress

@Suite struct PolicyRouteTests {
    private static let license: JSON = ["name": "licenses", "check": "license", "allow": ["MIT"]]

    @Test(arguments: Engine.direct)
    func `rules are shown as they were laid down, and change only as they were read`(engine: Engine) async throws {
        let installation = #"[{"name": "small", "check": "size", "maxFileBytes": 1000000}]"#
        try await Installation.with(engine, ["policy.rules": installation]) { server in
            let token = try await server.withPackages()
            let path = "/v1/repos/pkgs/policy"
            let empty = try await server.send("GET", path, token: token)
            #expect(empty.json["rules"] == [] && empty.json["revision"] == 0 && empty.json["updatedAtUtc"] == .null)
            #expect(empty.json["installationRules"]?.elements?.first?["name"] == "small")
            let put = try await server.send(
                "PUT", path, token: token, ["rules": [Self.license]], headers: [("If-Match", "\"0\"")])
            #expect(put.status == 200 && put.json["revision"] == 1 && put.headers["etag"] == "\"1\"")
            let stale = try await server.send(
                "PUT", path, token: token, ["rules": []], headers: [("If-Match", "\"0\"")])
            #expect(stale.status == 412 && stale.json["error"] == "precondition_failed")
            let read = try await server.send("GET", path, token: token)
            #expect(read.json["rules"]?.elements?.first?["allow"] == ["mit"])
            #expect(read.json["updatedBySubject"] == "tester" && read.headers["etag"] == "\"1\"")
            for bad: JSON in [[:], ["rules": 1], ["rules": [["name": "x"]]], ["rules": .null]] {
                let answer = try await server.send("PUT", path, token: token, bad)
                #expect(answer.status == 400 && answer.json["error"] == "bad_request", "\(answer.text)")
            }
            let audit = try await server.audit(token, "action=repo.policy.updated")
            #expect(audit.count == 1 && audit[0]["details"]?["rules"]?.text?.contains("licenses") == true)
            #expect(try await server.send("GET", "/v1/repos/none/policy", token: token).status == 404)
        }
    }

    @Test(arguments: Engine.direct)
    func `a rule that isn't met denies, names itself, and leaves its trace`(engine: Engine) async throws {
        let installation = #"[{"name": "no-beta", "check": "version", "deny": ["*-beta*"]}]"#
        try await Installation.with(engine, ["policy.rules": installation]) { server in
            let token = try await server.withPackages()
            try await server.setRules(
                [Self.license, ["name": "other", "check": "name", "deny": ["*"], "packageTypes": ["maven"]]],
                token: token)
            let id = try await server.completeDraft("p", token: token)
            let denied = try await server.publish(id, token: token)
            #expect(denied.status == 409 && denied.json["error"] == "policy_denied")
            #expect(denied.json["reason"] == "rule 'licenses': the manifest names no license")
            #expect(try await server.state(of: id, token: token) == "draft")
            #expect(try await server.eventTypes(token: token) == ["policy.denied"])
            #expect(try await server.audit(token, "action=policy.denied").count == 1)
            let list = try await server.evaluations("versionId=\(id)", token: token)
            #expect(list.count == 1 && list[0]["decision"] == "deny" && list[0]["decisionSource"] == "rules_deny")
            let trace = try #require(try await server.details(of: list[0], token: token)?["trace"]?.elements)
            #expect(trace.map { $0["rule"] } == ["no-beta", "licenses"], "\(trace)")
            #expect(trace.map { $0["origin"] } == ["installation", "repository"])
            #expect(trace.map { $0["decision"] } == ["allow", "deny"])
            #expect(trace.allSatisfy { ($0["durationMicroseconds"]?.integer ?? -1) >= 0 })

            // Mended, it is published, and that is on record too.
            let manifest = try await server.putManifest(
                ["name": "p", "version": "1.0.0", "license": "MIT"], of: id, token: token)
            #expect(manifest.status == 200)
            #expect(try await server.publish(id, token: token).status == 200)
            #expect(try await server.evaluations("decision=allow", token: token).count == 1)
            let beta = try await server.completeDraft("p", "2.0.0-beta.1", token: token)
            let refused = try await server.publish(beta, token: token)
            #expect(refused.json["reason"]?.text?.hasPrefix("rule 'no-beta'") == true, "the first of the strictest")
            #expect(try await server.send("GET", "/v1/repos/pkgs/policy/evaluations/99999", token: token).status == 404)
            let page = try await server.send("GET", "/v1/repos/pkgs/policy/evaluations?limit=2", token: token)
            let next = try #require(page.json["next"]?.text)
            #expect(try await server.evaluations("limit=2&after=\(next)", token: token).count == 1)
        }
    }

    @Test(arguments: Engine.direct)
    func `a rule that quarantines publishes and hides at once, until it is released`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            try await server.setRules(
                [["name": "look", "check": "name", "deny": ["odd-*"], "effect": "quarantine"]], token: token)
            let id = try await server.completeDraft("odd-one", token: token)
            let published = try await server.publish(id, token: token)
            let item = try #require(published.json["quarantineId"]?.text, "\(published.text)")
            let file = "/v1/repos/pkgs/packages/npm/odd-one/versions/1.0.0/files/file.bin"
            #expect(try await server.send("GET", file, token: token).status == 423)
            try await server.index()
            #expect(try await server.found("q=odd-one", token: token) == [])
            #expect(try await server.eventTypes(token: token) == ["version.quarantined"])
            #expect(try await server.resolve(item, "release", token: token).status == 200)
            #expect(try await server.send("GET", file, token: token).status == 200)
            #expect(try await server.found("q=odd-one", token: token) == ["odd-one@1.0.0"])
            #expect(
                try await server.eventTypes(token: token) == [
                    "version.published", "version.quarantined", "version.released",
                ])
        }
    }

    @Test(arguments: Engine.direct)
    func `files by path are judged too, and a refused one leaves nothing but its record`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            try await server.setRules(
                [
                    ["name": "no-exe", "check": "name", "deny": ["*.exe"]],
                    ["name": "small", "check": "size", "maxFileBytes": 10],
                    ["name": "tars", "check": "name", "deny": ["*.tar"], "effect": "quarantine"],
                ], token: token)
            func put(_ path: String, _ count: Int) async throws -> Answer {
                try await server.send(
                    "PUT", "/generic/pkgs/\(path)", headers: [("Authorization", "Bearer \(token)")],
                    body: [UInt8](repeating: 1, count: count))
            }
            let denied = try await put("a/tool.exe", 3)
            #expect(denied.status == 409 && denied.json["error"] == "policy_denied")
            #expect(denied.json["reason"]?.text?.hasPrefix("rule 'no-exe'") == true)
            #expect(try await put("a/large.bin", 11).status == 409)
            #expect(try await server.count("package_versions") == 0)
            #expect(try await server.count("blobs") == 0)
            #expect(try await server.send("GET", "/generic/pkgs/a/tool.exe", token: token).status == 404)
            #expect(try await server.eventTypes(token: token) == ["policy.denied", "policy.denied"])
            let kept = try await server.evaluations(token: token)
            #expect(kept.count == 2 && kept.allSatisfy { $0["versionId"] == .null })
            #expect(try await server.details(of: kept[1], token: token)?["packageName"] == "a/tool.exe")
            #expect(
                try await server.audit(token, "action=policy.denied").map { $0["resourceType"] } == [
                    "package", "package",
                ])
            #expect(try await put("a/fine.bin", 10).status == 201)
            #expect(try await put("a/some.tar", 3).status == 201)
            #expect(try await server.send("GET", "/generic/pkgs/a/some.tar", token: token).status == 423)
            #expect(try await server.send("GET", "/generic/pkgs/a/fine.bin", token: token).status == 200)
            let listing = try await server.send(
                "GET", "/generic/pkgs/a/", token: token, headers: [("Accept", "application/json")])
            #expect(!listing.text.contains("some.tar") && listing.text.contains("fine.bin"))
        }
    }

    @Test(arguments: Engine.direct)
    func `a version needs the attestations that a rule asks for`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            try await server.setRules(
                [["name": "provenance", "check": "attestation", "required": ["https://slsa.dev/provenance/v1"]]],
                token: token)
            let id = try await server.completeDraft("p", token: token)
            let denied = try await server.publish(id, token: token)
            #expect(denied.json["reason"]?.text?.contains("https://slsa.dev/provenance/v1") == true)
            try await server.trustKey(in: "pkgs", token: token)
            try await server.attest(id, as: "https://slsa.dev/provenance/v1", signedByKeysOf: "pkgs")
            #expect(try await server.publish(id, token: token).status == 200)
        }
    }
}
