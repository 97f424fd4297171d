// Tags: moved only as the mover knows them, every change kept. Rules: architecture, section 5; HTTP contract, section 9,
// rows 25 and 37.

import Domain
import HTTP
import Persistence
import TestSupport
import Testing

@testable import artifortress

@Suite struct TagRouteTests {
    private static let tags = "/v1/repos/pkgs/packages/npm/p/tags"

    @Test(arguments: Engine.direct)
    func `a tag is made, moved and taken away, and each change is kept`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            for version in ["1.0.0", "2.0.0"] { try await server.published("p", version, token: token) }
            let path = "\(Self.tags)/latest"
            #expect(try await server.send("GET", path, token: token).status == 404)
            let made = try await server.send("PUT", path, token: token, ["version": "1.0.0"])
            #expect(made.status == 201 && made.headers["etag"] == "\"1\"" && made.json["revision"] == 1, "\(made.text)")
            let same = try await server.send("PUT", path, token: token, ["version": "1.0.0"])
            #expect(same.status == 200 && same.json["revision"] == 1, "nothing has changed")
            let moved = try await server.send("PUT", path, token: token, ["version": "2.0.0"])
            #expect(moved.status == 200 && moved.json["revision"] == 2 && moved.json["version"] == "2.0.0")
            #expect(try await server.send("GET", path, token: token).json["version"] == "2.0.0")
            let removed = try await server.send("DELETE", path, token: token)
            #expect(removed.status == 200 && removed.json["deleted"] == true)
            #expect(try await server.send("DELETE", path, token: token).status == 404)
            let back = try await server.send("PUT", path, token: token, ["version": "1.0.0"])
            #expect(back.status == 201 && back.json["revision"] == 4, "an old entity tag never fits again")

            let history = try await server.send("GET", "\(path)/history", token: token)
            let changes = history.json["items"]?.elements ?? []
            #expect(changes.map { $0["fromVersion"] } == [.null, "2.0.0", "1.0.0", .null])
            #expect(changes.map { $0["toVersion"] } == ["1.0.0", .null, "2.0.0", "1.0.0"])
            #expect(changes.allSatisfy { $0["actor"] == "tester" })
            let first = try await server.send("GET", "\(path)/history?limit=3", token: token)
            let next = try #require(first.json["next"]?.text)
            let rest = try await server.send("GET", "\(path)/history?limit=3&after=\(next)", token: token)
            #expect(rest.json["items"]?.elements?.count == 1 && rest.json["next"] == .null)

            #expect(try await server.count("events WHERE event_type = 'tag.moved'") == 4)
            #expect(try await server.audit(token, "action=package.tag.moved").count == 3)
            let audit = try await server.audit(token, "action=package.tag.removed")
            #expect(audit.first?["details"]?.texts["from"] == "2.0.0")
        }
    }

    @Test(arguments: Engine.direct)
    func `compare and set by entity tag`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            for version in ["1.0.0", "2.0.0"] { try await server.published("p", version, token: token) }
            func put(_ version: String, _ header: (String, String)) async throws -> Int {
                try await server.send(
                    "PUT", "\(Self.tags)/t", token: token, ["version": .string(version)], headers: [header]
                ).status
            }
            #expect(try await put("1.0.0", ("If-Match", "*")) == 412)
            #expect(try await put("1.0.0", ("If-None-Match", "*")) == 201)
            #expect(try await put("2.0.0", ("If-None-Match", "*")) == 412)
            #expect(try await put("2.0.0", ("If-Match", "\"2\"")) == 412)
            #expect(try await put("2.0.0", ("If-Match", "\"1\"")) == 200)
            #expect(try await put("1.0.0", ("If-Match", "\"1\"")) == 412)
            let stale = try await server.send(
                "DELETE", "\(Self.tags)/t", token: token, headers: [("If-Match", "\"1\"")])
            #expect(stale.status == 412 && stale.json["revision"] == 2)
            let fresh = try await server.send(
                "DELETE", "\(Self.tags)/t", token: token, headers: [("If-Match", "\"2\"")])
            #expect(fresh.status == 200)
        }
    }

    @Test(arguments: Engine.direct)
    func `of rivals that know the same tag one moves it`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            for number in 0..<8 { try await server.published("p", "\(number).0.0", token: token) }
            _ = try await server.send("PUT", "\(Self.tags)/t", token: token, ["version": "0.0.0"])
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 1..<8 {
                    group.addTask {
                        try await server.send(
                            "PUT", "\(Self.tags)/t", token: token, ["version": .string("\(number).0.0")],
                            headers: [("If-Match", "\"1\"")]
                        ).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.sorted() == [200, 412, 412, 412, 412, 412, 412])
            #expect(try await server.count("package_tag_history") == 2)
        }
    }

    @Test(arguments: Engine.direct)
    func `a tag points only at what can be seen, and goes with it`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.published("p", "1.0.0", token: token)
            _ = try await server.draft("p", "2.0.0", token: token)
            let hidden = try await server.published("p", "3.0.0", token: token)
            try await server.quarantine(hidden, "quarantined")
            for (version, status) in [("2.0.0", 409), ("3.0.0", 409), ("4.0.0", 404)] {
                let answer = try await server.send(
                    "PUT", "\(Self.tags)/t", token: token, ["version": .string(version)])
                #expect(answer.status == status, "\(answer.text)")
            }
            let none = "/v1/repos/pkgs/packages/npm/none/tags/t"
            #expect(try await server.send("PUT", none, token: token, ["version": "1"]).status == 404)
            #expect(try await server.send("PUT", "\(Self.tags)/a%2Fb", token: token, ["version": "1"]).status == 400)
            #expect(try await server.send("PUT", "\(Self.tags)/t", token: token, ["version": " "]).status == 400)
            let writer = try await server.token(["repo:pkgs:write"], subject: "writer")
            #expect(try await server.send("PUT", "\(Self.tags)/t", token: writer, ["version": "1.0.0"]).status == 403)

            _ = try await server.send("PUT", "\(Self.tags)/t", token: token, ["version": "1.0.0"])
            #expect(try await server.send("GET", "\(Self.tags)/t", token: writer).status == 200)
            try await server.quarantine(id, "quarantined")
            #expect(try await server.send("GET", "\(Self.tags)/t", token: writer).status == 423)
            #expect(try await server.send("GET", Self.tags, token: writer).json["items"] == [])
            try await server.quarantine(id, "released")
            #expect(try await server.send("GET", Self.tags, token: writer).json["items"]?.elements?.count == 1)
            let tombstone = "/v1/repos/pkgs/packages/versions/\(id)/tombstone"
            #expect(try await server.send("POST", tombstone, token: token, ["reason": "x"]).status == 200)
            #expect(try await server.send("GET", "\(Self.tags)/t", token: writer).status == 404)
            let history = try await server.send("GET", "\(Self.tags)/t/history", token: writer)
            #expect(history.json["items"]?.elements?.first?["toVersion"] == .null)
        }
    }
}

extension Installation {
    /// Puts a version's quarantine item into a state.
    func quarantine(_ version: String, _ status: String) async throws {
        let id = try #require(UniqueID(version))
        try await self.execute(
            """
            INSERT INTO quarantine_items (version_id, status) VALUES (\(id), \(status))
            ON CONFLICT (version_id) DO UPDATE SET status = excluded.status
            """)
    }
}
