// Release sets: all of their versions in one transaction, or none. Rules: HTTP contract, section 9, rows 20, 25 and 37.

import Domain
import HTTP
import Persistence
import TestSupport
import Testing

@testable import artifortress

@Suite struct ReleaseRouteTests {
    private static let path = "/v1/releases"

    private static func body(_ versions: [String], name: String? = nil) -> JSON {
        ["versionIds": JSON(versions), "name": JSON(name)]
    }

    /// Repositories `a` and `b`, a token for everything, and two drafts in each.
    private static func prepare(_ server: Installation) async throws -> (token: String, drafts: [String]) {
        let token = try await server.token()
        var drafts: [String] = []
        for repo in ["a", "b"] {
            try await server.createRepository(repo, token: token)
            for name in ["x", "y"] { drafts.append(try await server.completeDraft(name, in: repo, token: token)) }
        }
        return (token, drafts)
    }

    private static func state(_ version: String, _ repo: String, _ server: Installation, _ token: String) async throws
        -> String?
    {
        try await server.send("GET", "/v1/repos/\(repo)/packages/versions/\(version)", token: token)
            .json["state"]?.text
    }

    @Test(arguments: Engine.direct)
    func `drafts of several repositories are published together, and told of one by one`(
        engine: Engine
    ) async throws {
        try await Installation.with(engine) { server in
            let (token, drafts) = try await Self.prepare(server)
            let set = [drafts[3], drafts[0], drafts[2]]
            let made = try await server.send("POST", Self.path, token: token, Self.body(set, name: " spring "))
            let id = try #require(made.json["releaseId"]?.text, "\(made.text)")
            #expect(made.status == 201 && made.headers["location"] == "/v1/releases/\(id)")
            #expect(made.json["name"] == "spring" && made.json["versionCount"] == 3)
            #expect(made.json["idempotent"] == false && made.json["publishedBySubject"] == "tester")
            let versions = try #require(made.json["versions"]?.elements)
            #expect(versions.map { $0["versionId"]?.text } == set, "in the order of the request")
            #expect(versions.map { $0["repoKey"]?.text } == ["b", "a", "b"])
            #expect(versions.allSatisfy { $0["state"] == "published" && $0["outboxEventId"]?.text != nil })
            #expect(try await Self.state(drafts[1], "a", server, token) == "draft")

            let shown = try await server.send("GET", "\(Self.path)/\(id)", token: token)
            #expect(shown.status == 200 && shown.json["versions"] == made.json["versions"])
            let list = try await server.send("GET", Self.path, token: token)
            #expect(list.json["items"]?.elements?.map { $0["releaseId"]?.text } == [id])

            // Each version once in outbox, log and audit, and the release beside them.
            let outbox = try await server.database.lookup { transaction in
                try transaction.all(
                    "SELECT event_type, aggregate_type, aggregate_id, delivered_at IS NULL FROM outbox_events",
                    as: { "\(try $0[0] as String) \(try $0[1] as String) \(try $0[2] as String) \(try $0[3] as Bool)" })
            }
            #expect(
                Set(outbox)
                    == Set(set.map { "version.published package_version \($0) true" })
                    .union(["release.published release \(id) false"]) && outbox.count == 4)
            let audit = try await server.audit(token, "action=package.version.published")
            #expect(Set(audit.map { $0["resourceId"]?.text }) == Set(set) && audit.count == 3)
            #expect(audit.allSatisfy { $0["details"]?["releaseId"]?.text == id })
            let own = try await server.audit(token, "action=release.published")
            #expect(own.count == 1 && own[0]["details"]?["repoKeys"] == "a,b" && own[0]["resourceId"]?.text == id)
            for (repo, expected) in [("a", [drafts[0]]), ("b", [drafts[2], drafts[3]])] {
                let feed = try await server.send("GET", "/v1/repos/\(repo)/events?wait=0", token: token)
                let events = try #require(feed.json["events"]?.elements)
                #expect(events.map { $0["seq"]?.integer } == (1...Int64(events.count)).map { $0 })
                #expect(Set(events.dropLast().map { $0["versionId"]?.text }) == Set(expected))
                #expect(events.last?["type"] == "release.published")
                let data = try #require(events.last?["data"])
                #expect(data["releaseId"]?.text == id && data["repoKey"]?.text == repo)
                #expect(Set(data["versionIds"]?.elements ?? []) == Set(expected.map(JSON.string)), "no other's ids")
            }
        }
    }

    @Test(arguments: Engine.direct)
    func `what stands in the way is named, each with its reason, and nothing is published`(
        engine: Engine
    ) async throws {
        try await Installation.with(engine) { server in
            let (token, drafts) = try await Self.prepare(server)
            let published = try await server.published("done", in: "a", token: token)
            let empty = try await server.draft("empty", in: "b", token: token)
            let dead = try await server.completeDraft("dead", in: "b", token: token)
            let path = "/v1/repos/b/packages/versions/\(dead)/tombstone"
            _ = try await server.send("POST", path, token: token, ["reason": "no"])
            let retired = try await server.completeDraft("gone", in: "a", token: token)
            try await server.retire("gone", "1.0.0", in: "a")
            let events = try await server.count("events")
            let refused = try await server.send(
                "POST", Self.path, token: token, Self.body([drafts[0], published, empty, dead, retired, drafts[2]]))
            #expect(refused.status == 409 && refused.error == "conflict")
            let blocked = try #require(refused.json["blocked"]?.elements)
            let reasons = Dictionary(
                uniqueKeysWithValues: blocked.map { ($0["versionId"]?.text ?? "", $0["message"]?.text ?? "") })
            #expect(Set(reasons.keys) == [published, empty, dead, retired])
            #expect(reasons[published]?.contains("is published") == true)
            #expect(reasons[empty]?.contains("without an entry") == true)
            #expect(reasons[dead]?.contains("is tombstoned") == true)
            #expect(blocked.first { $0["versionId"]?.text == retired }?["error"] == "coordinate_retired")
            #expect(blocked.allSatisfy { $0["repoKey"]?.text != nil })
            #expect(try await Self.state(drafts[0], "a", server, token) == "draft")
            #expect(try await Self.state(drafts[2], "b", server, token) == "draft")
            #expect(try await server.count("events") == events)
            #expect(try await server.count("releases") == 0)
        }
    }

    @Test(arguments: Engine.direct)
    func `who may not publish in every repository publishes nothing, and learns nothing`(
        engine: Engine
    ) async throws {
        try await Installation.with(engine) { server in
            let (token, drafts) = try await Self.prepare(server)
            let both = Self.body([drafts[0], drafts[2]])
            let one = try await server.token(["repo:a:promote"], subject: "one")
            let hidden = try await server.send("POST", Self.path, token: one, both)
            #expect(hidden.status == 404 && hidden.json["missing"] == [.string(drafts[2])], "\(hidden.text)")
            let none = UniqueID.random().description
            let absent = try await server.send("POST", Self.path, token: one, Self.body([drafts[0], none]))
            #expect(absent.status == 404, "the same as for what isn't there")
            #expect(absent.text.replacing(none, with: drafts[2]) == hidden.text)
            let reading = try await server.token(["repo:a:promote", "repo:b:read"], subject: "reading")
            let denied = try await server.send("POST", Self.path, token: reading, both)
            #expect(denied.status == 403 && denied.text.contains("'b'"))
            let reader = try await server.token(["repo:*:read"], subject: "reader")
            #expect(try await server.send("POST", Self.path, token: reader, nil).status == 403, "before the body")
            #expect(try await server.send("POST", Self.path, token: nil, both).status == 401)
            for (draft, repo) in [(drafts[0], "a"), (drafts[2], "b")] {
                #expect(try await Self.state(draft, repo, server, token) == "draft")
            }
            #expect(try await server.audit(token, "action=access.denied").count == 2)

            let promoter = try await server.token(["repo:a:promote", "repo:b:promote"], subject: "promoter")
            let made = try await server.send("POST", Self.path, token: promoter, key: "k", both)
            let id = try #require(made.json["releaseId"]?.text, "\(made.text)")
            for (reader, status) in [(promoter, 200), (reader, 200), (one, 404), (token, 200)] {
                #expect(try await server.send("GET", "\(Self.path)/\(id)", token: reader).status == status)
                let list = try await server.send("GET", Self.path, token: reader)
                #expect(list.json["items"]?.elements?.count == (status == 200 ? 1 : 0))
            }
            // Authorized before replay: who has lost a role is not told what he did.
            let weaker = try await server.token(["repo:a:promote"], subject: "promoter")
            #expect(try await server.send("POST", Self.path, token: weaker, key: "k", both).status == 404)

            let tenant = TenantID(.random())
            try await server.execute("INSERT INTO tenants (tenant_id, slug, name) VALUES (\(tenant), 'other', 'O')")
            try await server.execute("UPDATE releases SET tenant_id = \(tenant)")
            #expect(try await server.send("GET", "\(Self.path)/\(id)", token: token).status == 404)
        }
    }

    @Test(arguments: Engine.direct)
    func `a release happens once, by its key and by its versions`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let (token, drafts) = try await Self.prepare(server)
            let body = Self.body([drafts[0], drafts[2]])
            let first = try await server.send("POST", Self.path, token: token, key: "k", body)
            let replay = try await server.send("POST", Self.path, token: token, key: "k", body)
            #expect(first.status == 201 && replay.status == 201 && replay.body == first.body)
            #expect(replay.headers["idempotent-replayed"] == "true")
            let other = try await server.send("POST", Self.path, token: token, key: "k", Self.body([drafts[1]]))
            #expect(other.status == 422 && other.error == "idempotency_key_reused")
            let again = try await server.send("POST", Self.path, token: token, Self.body([drafts[2], drafts[0]]))
            #expect(again.status == 200 && again.json["idempotent"] == true)
            #expect(again.json["releaseId"] == first.json["releaseId"])
            for part in [[drafts[0]], [drafts[0], drafts[2], drafts[1]]] {
                let refused = try await server.send("POST", Self.path, token: token, Self.body(part))
                #expect(refused.status == 409, "not what was released")
            }
            #expect(try await server.count("releases") == 1)
            #expect(try await server.audit(token, "action=release.published").count == 1)
        }
    }

    @Test(arguments: Engine.direct)
    func `what is wrong with a set is said`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = UniqueID.random().description
            let bodies: [JSON] = [
                [:], ["versionIds": []], ["versionIds": nil], ["versionIds": "x"], Self.body(["x"]),
                Self.body([id, id.uppercased()]), Self.body((0...100).map { _ in UniqueID.random().description }),
                Self.body([id], name: String(repeating: "n", count: 201)), Self.body([id], name: "a\nb"),
            ]
            for body in bodies {
                let answer = try await server.send("POST", Self.path, token: token, body)
                #expect(answer.status == 400, "\(body): \(answer.text)")
            }
            #expect(try await server.send("GET", "\(Self.path)/x", token: nil).status == 400)
            #expect(try await server.send("GET", "\(Self.path)/\(id)", token: nil).status == 401)
            #expect(try await server.send("GET", "\(Self.path)/\(id)", token: token).status == 404)
            #expect(try await server.send("GET", "\(Self.path)?after=x", token: token).status == 400)
        }
    }

    @Test(arguments: Engine.direct)
    func `releases are listed by page, the newest first, without those of others`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let (token, drafts) = try await Self.prepare(server)
            for draft in drafts { _ = try await server.send("POST", Self.path, token: token, Self.body([draft])) }
            func walk(_ token: String) async throws -> [String] {
                var (repos, next): ([String], String?) = ([], nil)
                repeat {
                    let page = try await server.send(
                        "GET", "\(Self.path)?limit=1\(next.map { "&after=\($0)" } ?? "")", token: token)
                    for item in try #require(page.json["items"]?.elements) {
                        let id = try #require(item["releaseId"]?.text)
                        let release = try await server.send("GET", "\(Self.path)/\(id)", token: token)
                        repos.append(release.json["versions"]?.elements?.first?["repoKey"]?.text ?? "?")
                    }
                    next = page.json["next"]?.text
                } while next != nil
                return repos
            }
            #expect(try await walk(token) == ["b", "b", "a", "a"])
            let reader = try await server.token(["repo:a:read"], subject: "reader")
            #expect(try await walk(reader) == ["a", "a"])
        }
    }
}
