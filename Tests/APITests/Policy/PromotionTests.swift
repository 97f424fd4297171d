// Promotion: the same bytes in another repository, in one transaction, through the same gate. Rules: HTTP contract,
// section 9, rows 5, 25 and 37.

import Domain
import HTTP
import Persistence
import TestSupport
import Testing

@testable import artifortress

@Suite struct PromotionTests {
    private static func scene(_ server: Installation) async throws -> String {
        let token = try await server.withPackages()
        try await server.createRepository("releases", token: token)
        return token
    }

    @Test(arguments: Engine.direct)
    func `a version is copied whole, by reference, and once`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await Self.scene(server)
            let id = try await server.published("p", namespace: "@s", token: token)
            let objects = try await server.count("blobs")
            let promoted = try await server.promote(id, to: "Releases", token: token, key: "k1")
            #expect(promoted.status == 201 && promoted.json["repoKey"] == "releases", "\(promoted.text)")
            #expect(promoted.json["sourceRepoKey"] == "pkgs" && promoted.json["sourceVersionId"] == .string(id))
            #expect(promoted.json["idempotent"] == false && promoted.json["eventEmitted"] == true)
            let copy = try #require(promoted.json["versionId"]?.text)
            #expect(promoted.headers["location"] == "/v1/repos/releases/packages/versions/\(copy)")
            #expect(try await server.count("blobs") == objects)
            var views: [JSON?] = []
            for (repo, version) in [("pkgs", id), ("releases", copy)] {
                let view = try await server.send("GET", "/v1/repos/\(repo)/packages/versions/\(version)", token: token)
                views.append(view.json["entries"])
                views.append(view.json["manifest"])
            }
            #expect(views[0] == views[2] && views[1] == views[3] && views[0]?.elements?.count == 1)
            let file = "/packages/npm/p/versions/1.0.0/files/file.bin?namespace=@s"
            for repo in ["pkgs", "releases"] {
                let read = try await server.send("GET", "/v1/repos/\(repo)\(file)", token: token)
                #expect(read.status == 200 && read.body == Array("content".utf8))
            }
            #expect(try await server.eventTypes(token: token) == ["version.published", "version.promoted"])
            #expect(
                try await server.eventTypes(in: "releases", token: token) == ["version.published", "version.promoted"])
            let audit = try await server.audit(token, "action=package.version.promoted")
            #expect(audit.count == 1 && audit[0]["details"]?["targetVersionId"] == .string(copy))
            try await server.index()
            #expect(try await server.found("q=p", in: "releases", token: token) == ["p@1.0.0"])

            // The same key gives the same answer; without it, it is done already.
            let replayed = try await server.promote(id, to: "Releases", token: token, key: "k1")
            #expect(replayed.status == 201 && replayed.json["versionId"] == .string(copy))
            let again = try await server.promote(id, to: "releases", token: token)
            #expect(again.status == 200 && again.json["idempotent"] == true && again.json["versionId"] == .string(copy))
            #expect(again.json["outboxEventId"] == nil)
            #expect(try await server.audit(token, "action=package.version.promoted").count == 1)
        }
    }

    @Test(arguments: Engine.direct)
    func `who may is decided on both repositories`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await Self.scene(server)
            let id = try await server.published("p", token: token)
            for (scopes, status) in [
                (["repo:pkgs:read", "repo:pkgs:promote"], 403), (["repo:pkgs:promote", "repo:releases:promote"], 403),
                (["repo:pkgs:read", "repo:releases:promote"], 403), (["repo:pkgs:admin", "repo:releases:write"], 403),
                (["repo:releases:admin"], 403),
                (["repo:pkgs:read", "repo:pkgs:promote", "repo:releases:promote"], 201),
            ] as [([String], Int)] {
                let token = try await server.token(scopes)
                let answer = try await server.promote(id, to: "releases", token: token)
                #expect(answer.status == status, "\(scopes): \(answer.text)")
            }
        }
    }

    @Test(arguments: Engine.direct)
    func `what can't be promoted says why, and nothing is left`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await Self.scene(server)
            let body: JSON = ["repoKey": "maven", "repoType": "local", "format": "maven"]
            #expect(try await server.send("POST", "/v1/repos", token: token, body).status == 201)
            let id = try await server.published("p", token: token)
            let draft = try await server.completeDraft("d", token: token)
            let gone = try await server.published("gone", token: token)
            let stone = try await server.send(
                "POST", "/v1/repos/pkgs/packages/versions/\(gone)/tombstone", token: token, ["reason": "r"])
            #expect(stone.status == 200)
            let hidden = try await server.published("hidden", token: token)
            _ = try await server.evaluate(hidden, hint: "quarantine", token: token)
            let other = try await server.published("other", bytes: [1], token: token)
            _ = try await server.published("other", bytes: [2], in: "releases", token: token)
            let open = try await server.published("open", token: token)
            _ = try await server.draft("open", in: "releases", token: token)
            let burned = try await server.published("burned", token: token)
            try await server.retire("burned", "1.0.0", in: "releases")
            for (version, target, status, code, words) in [
                (id, "pkgs", 400, "bad_request", "another repository"), (id, "", 400, "bad_request", "targetRepo"),
                (id, "none", 404, "not_found", "Repository"), (id, "maven", 409, "conflict", "maven"),
                (draft, "releases", 409, "conflict", "draft"), (gone, "releases", 409, "conflict", "tombstoned"),
                (hidden, "releases", 423, "quarantined_blob", "quarantine"),
                (other, "releases", 409, "conflict", "other content"), (open, "releases", 409, "conflict", "draft"),
                (burned, "releases", 409, "coordinate_retired", "deleted"),
                (UniqueID.random().description, "releases", 404, "not_found", "version"),
            ] as [(String, String, Int, String, String)] {
                let answer = try await server.promote(version, to: target, token: token)
                #expect(answer.status == status && answer.json["error"] == .string(code), "\(words): \(answer.text)")
                #expect(answer.json["message"]?.text?.contains(words) == true, "\(answer.text)")
            }
            #expect(try await server.eventTypes(in: "releases", token: token) == ["version.published"])
        }
    }

    @Test(arguments: Engine.direct)
    func `both repositories' rules have a say, and evaluations for the promotion`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await Self.scene(server)
            let id = try await server.published("p", token: token)
            try await server.setRules(
                [["name": "stay", "check": "name", "deny": ["*"], "actions": ["promote"]]], token: token)
            let kept = try await server.promote(id, to: "releases", token: token)
            #expect(kept.status == 409 && kept.json["reason"]?.text?.hasPrefix("rule 'stay'") == true)
            #expect(try await server.eventTypes(in: "releases", token: token) == ["policy.denied"])
            let denied = try await server.evaluations(in: "releases", token: token)
            #expect(denied.count == 1 && denied[0]["versionId"] == .null && denied[0]["action"] == "promote")
            let details = try await server.details(of: denied[0], in: "releases", token: token)
            #expect(details?["sourceVersionId"] == .string(id))
            #expect(details?["trace"]?.elements?.first?["origin"] == "source")

            try await server.setRules([], token: token)
            try await server.setRules(
                [["name": "look", "check": "name", "deny": ["*"], "effect": "quarantine"]], of: "releases", token: token
            )
            let promoted = try await server.promote(id, to: "releases", token: token)
            let item = try #require(promoted.json["quarantineId"]?.text, "\(promoted.text)")
            let view = "/v1/repos/releases/packages/npm/p/versions/1.0.0"
            #expect(try await server.send("GET", view, token: token).status == 423)
            #expect(try await server.send("GET", view.replacing("releases", with: "pkgs"), token: token).status == 200)
            #expect(try await server.resolve(item, "release", in: "releases", token: token).status == 200)
            #expect(try await server.send("GET", view, token: token).status == 200)

            try await server.setRules([], of: "releases", token: token)
            let other = try await server.published("q", token: token)
            #expect(
                try await server.evaluate(other, "promote", hint: "deny", reason: "wait", token: token).status == 201)
            let waits = try await server.promote(other, to: "releases", token: token)
            #expect(waits.status == 409 && waits.json["reason"]?.text?.contains("wait") == true)
            let number = try #require(try await server.evaluations(token: token).first?["evaluationId"]?.integer)
            let path = "/v1/repos/pkgs/policy/evaluations/\(number)"
            #expect(try await server.send("DELETE", path, token: token).json["spentAtUtc"] != .null)
            #expect(try await server.send("DELETE", path, token: token).status == 409)
            #expect(try await server.audit(token, "action=policy.evaluation.withdrawn").count == 1)
            #expect(try await server.promote(other, to: "releases", token: token).status == 201)
        }
    }

    @Test(arguments: Engine.direct)
    func `a file by path becomes the path's next revision`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await Self.scene(server)
            try await server.createRepository("latest", settings: ["overwrite": true], token: token)
            try await server.createRepository("files", settings: ["overwrite": true], token: token)
            func put(_ text: String) async throws -> String {
                let put = try await server.send(
                    "PUT", "/generic/files/a/b.txt", headers: [("Authorization", "Bearer \(token)")],
                    body: Array(text.utf8))
                #expect(put.status < 300)
                return try await server.texts(
                    """
                    SELECT \(.either(postgreSQL: "v.version_id::text", sqlite: "lower(hex(v.version_id))"))
                    FROM package_versions v JOIN repos r ON r.repo_id = v.repo_id WHERE r.repo_key = 'files'
                    ORDER BY v.sort_key DESC LIMIT 1
                    """)[0]
            }
            let one = try await put("one")
            for (target, status) in [("releases", 201), ("releases", 200), ("latest", 201), ("latest", 200)] {
                let answer = try await server.promote(one, from: "files", to: target, token: token)
                #expect(answer.status == status && answer.json["version"] == "1", "\(answer.text)")
            }
            let two = try await put("two")
            let refused = try await server.promote(two, from: "files", to: "releases", token: token)
            #expect(refused.status == 409 && refused.json["message"]?.text?.contains("overwrite") == true)
            let next = try await server.promote(two, from: "files", to: "latest", token: token)
            #expect(next.status == 201 && next.json["version"] == "2")
            for (repo, text) in [("releases", "one"), ("latest", "two")] {
                let read = try await server.send("GET", "/generic/\(repo)/a/b.txt", token: token)
                #expect(read.body == Array(text.utf8))
            }
            let delete = try await server.send("DELETE", "/generic/releases/a/b.txt", token: token)
            #expect(delete.status == 204)
            let gone = try await server.promote(one, from: "files", to: "releases", token: token)
            #expect(gone.status == 409 && gone.json["message"]?.text?.contains("tombstoned") == true, "\(gone.text)")
        }
    }

    /// What is published through drafts is no file by path, whatever its type.
    @Test(arguments: Engine.direct)
    func `a version of the generic type keeps its coordinate`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await Self.scene(server)
            for version in ["1.4.0", "1.5.0"] {
                let id = try await server.published("tool", version, type: "generic", namespace: "acme", token: token)
                let promoted = try await server.promote(id, to: "releases", token: token)
                #expect(promoted.status == 201 && promoted.json["version"] == .string(version), "\(promoted.text)")
                #expect(promoted.json["packageNamespace"] == "acme")
            }
        }
    }

    /// Both ways at once, of the same names.
    @Test(arguments: Engine.direct)
    func `promotions that cross don't wait for each other forever`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await Self.scene(server)
            for number in 0..<6 {
                let one = try await server.published("p\(number)", bytes: [1], token: token)
                let other = try await server.published("p\(number)", bytes: [1], in: "releases", token: token)
                async let there = server.promote(one, to: "releases", token: token)
                async let back = server.promote(other, from: "releases", to: "pkgs", token: token)
                let statuses = try await [there.status, back.status]
                #expect(statuses == [200, 200])
            }
        }
    }

    @Test(arguments: Engine.direct)
    func `attestations go along, and count where their key is trusted`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await Self.scene(server)
            for repo in ["pkgs", "releases"] { try await server.trustKey(in: repo, token: token) }
            try await server.createRepository("strangers", token: token)
            let id = try await server.published("p", token: token)
            try await server.attest(id, as: "t", signedByKeysOf: "pkgs")
            let rules: JSON = [["name": "signed", "check": "attestation", "required": ["t"]]]
            for (repo, status) in [("releases", 201), ("strangers", 409)] {
                try await server.setRules(rules, of: repo, token: token)
                let promoted = try await server.promote(id, to: repo, token: token)
                #expect(promoted.status == status, "\(repo): \(promoted.text)")
                guard status == 201, let copy = promoted.json["versionId"]?.text else { continue }
                let list = try await server.send(
                    "GET", "/v1/repos/\(repo)/packages/versions/\(copy)/attestations", token: token)
                #expect(list.text.contains("\"verified\":true"), "\(list.text)")
            }
        }
    }

    /// One copy, whoever races; and none of a version that was withheld first.
    @Test(arguments: Engine.direct)
    func `rivals make one copy`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await Self.scene(server)
            let id = try await server.published("p", token: token)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask { try await server.promote(id, to: "releases", token: token).status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.sorted() == [200, 200, 200, 200, 200, 200, 200, 201])
            for number in 0..<8 {
                let id = try await server.published("q\(number)", token: token)
                async let promoted = server.promote(id, to: "releases", token: token)
                async let hidden = server.evaluate(id, hint: "quarantine", token: token)
                let (copy, evaluation) = try await (promoted, hidden)
                #expect([201, 423].contains(copy.status), "\(copy.text)")
                #expect(evaluation.status == 201, "\(evaluation.text)")
                let again = try await server.promote(id, to: "releases", token: token)
                #expect(again.status == 423, "\(again.text)")
            }
        }
    }
}
