// Versions in quarantine: listed, decided once, and hidden from every way in alike. Rules: HTTP contract, 3.6, 6.3;
// architecture, section 5 (Who sees what).

import Domain
import HTTP
import TestSupport
import Testing

@testable import artifortress

@Suite struct QuarantineRouteTests {
    @Test(arguments: Engine.direct)
    func `items are listed by status, the newest first, and page by page`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            var items: [String] = []
            for number in 0..<5 {
                let id = try await server.published("p\(number)", token: token)
                let made = try await server.evaluate(id, hint: "quarantine", reason: "r\(number)", token: token)
                items.append(try #require(made.json["quarantineId"]?.text))
            }
            #expect(try await server.resolve(items[1], "release", token: token).status == 200)
            #expect(try await server.resolve(items[2], "reject", token: token).status == 200)
            let path = "/v1/repos/pkgs/quarantine"
            func ids(_ query: String) async throws -> [String] {
                let answer = try await server.send("GET", "\(path)?\(query)", token: token)
                return try #require(answer.json.elements, "\(answer.text)").compactMap { $0["quarantineId"]?.text }
            }
            #expect(try await ids("") == items.reversed())
            #expect(try await ids("status=Quarantined") == [items[4], items[3], items[0]])
            #expect(try await ids("status=released") == [items[1]])
            #expect(try await ids("status=rejected") == [items[2]])
            #expect(try await server.send("GET", "\(path)?status=lost", token: nil).status == 400, "before the caller")
            var next: String? = "\(path)?limit=2&status=quarantined"
            var found: [String] = []
            while let page = next {
                let answer = try await server.send("GET", page, token: token)
                found += (answer.json.elements ?? []).compactMap { $0["quarantineId"]?.text }
                next = answer.headers["link"]?.split(separator: ">").first.map { String($0.dropFirst()) }
            }
            #expect(found == [items[4], items[3], items[0]])
            let one = try await server.send("GET", "\(path)/\(items[2])", token: token)
            #expect(one.json["status"] == "rejected" && one.json["resolvedBySubject"] == "tester")
            #expect(one.json["reason"] == "r2" && one.json["repoKey"] == "pkgs")
            #expect(try await server.send("GET", "\(path)/\(UniqueID.random())", token: token).status == 404)
        }
    }

    @Test(arguments: Engine.direct)
    func `an item is decided once`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            for (decision, status) in [("release", "released"), ("reject", "rejected")] {
                let id = try await server.published(decision, token: token)
                let made = try await server.evaluate(id, hint: "quarantine", token: token)
                let item = try #require(made.json["quarantineId"]?.text)
                let answer = try await server.resolve(item, decision, token: token)
                #expect(answer.status == 200 && answer.json["status"] == .string(status), "\(answer.text)")
                #expect(answer.json["approvalId"] == .null && answer.json["resolvedAtUtc"] != .null)
                for other in ["release", "reject"] {
                    let again = try await server.resolve(item, other, token: token)
                    #expect(again.status == 409 && again.json["error"] == "conflict")
                }
                let audit = try await server.audit(token, "action=quarantine.\(status)")
                #expect(audit.count == 1 && audit[0]["resourceType"] == "quarantine_item")
                #expect(audit[0]["details"]?["approvalId"] == "" && audit[0]["details"]?["versionId"] == .string(id))
            }
        }
    }

    /// Every way to a version: hidden and shown together.
    @Test(arguments: Engine.direct)
    func `every way in hides the same, and shows the same`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let bytes = Array("only here".utf8)
            let id = try await server.published("p", bytes: bytes, token: token)
            let digest = try await server.commit(bytes, in: "pkgs").hex
            let put = try await server.send(
                "PUT", "/v1/repos/pkgs/packages/npm/p/tags/stable", token: token, ["version": "1.0.0"])
            #expect(put.status < 300, "\(put.text)")
            try await server.index()
            let base = "/v1/repos/pkgs/packages/npm/p"
            func statuses() async throws -> [Int] {
                var statuses: [Int] = []
                for path in [
                    "\(base)/versions/1.0.0", "\(base)/versions/1.0.0/files/file.bin", "\(base)/tags/stable",
                    "\(base)/tags/stable/files/file.bin", "/v1/repos/pkgs/blobs/\(digest)",
                ] { statuses.append(try await server.send("GET", path, token: token).status) }
                return statuses
            }
            func lists() async throws -> [Int] {
                var counts: [Int] = []
                for path in ["/v1/repos/pkgs/packages", "\(base)/versions", "\(base)/tags"] {
                    let answer = try await server.send("GET", path, token: token)
                    counts.append(answer.json["items"]?.elements?.count ?? 0)
                }
                return counts + [try await server.found("q=p", token: token).count]
            }
            #expect(try await statuses() == [200, 200, 200, 200, 200])
            #expect(try await lists() == [1, 1, 1, 1])
            let made = try await server.evaluate(id, hint: "quarantine", token: token)
            let item = try #require(made.json["quarantineId"]?.text)
            let hidden = try await statuses()
            #expect(hidden == [423, 423, 423, 423, 423], "\(hidden)")
            let found = try await lists()
            #expect(found == [0, 0, 0, 0], "\(found)")
            let view = try await server.send("GET", "/v1/repos/pkgs/packages/versions/\(id)", token: token)
            #expect(view.status == 200 && view.json["quarantineStatus"] == "quarantined")
            #expect(try await server.resolve(item, "release", token: token).status == 200)
            #expect(try await statuses() == [200, 200, 200, 200, 200])
            #expect(try await lists() == [1, 1, 1, 1])
            _ = try await server.evaluate(id, hint: "quarantine", token: token)
            #expect(try await server.resolve(item, "reject", token: token).status == 200)
            #expect(try await statuses() == [423, 423, 423, 423, 423])
            #expect(try await lists() == [0, 0, 0, 0])
        }
    }
}
