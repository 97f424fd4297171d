// Reading packages: what is listed, in which order, and what can be seen of each state. Source: architecture, section 5
// (Order, Who sees what).

import Domain
import HTTP
import Persistence
import TestSupport
import Testing

@testable import artifortress

@Suite struct PackageRouteTests {
    /// Every page of a list.
    private static func all(
        _ path: String, limit: Int, _ member: String, _ server: Installation, token: String
    ) async throws -> [String] {
        var (texts, next): ([String], String?) = ([], nil)
        repeat {
            let separator = path.contains("?") ? "&" : "?"
            let after = next.map { "&after=\($0)" } ?? ""
            let answer = try await server.send("GET", "\(path)\(separator)limit=\(limit)\(after)", token: token)
            try #require(answer.status == 200, "\(answer.text)")
            texts += (answer.json["items"]?.elements ?? []).compactMap { $0[member]?.text }
            next = answer.json["next"]?.text
        } while next != nil
        return texts
    }

    @Test(arguments: Engine.direct)
    func `packages are listed by name, those with something to see`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            for name in ["b", "a", "c"] { try await server.published(name, token: token) }
            try await server.published("z", type: "cargo", token: token)
            try await server.published("n", namespace: "@s", token: token)
            for version in ["1.0.0", "10.0.0", "9.0.0"] { try await server.published("v", version, token: token) }
            _ = try await server.draft("draft", token: token)
            let hidden = try await server.published("hidden", token: token)
            try await server.quarantine(hidden, "rejected")
            let gone = try await server.published("gone", token: token)
            _ = try await server.send(
                "POST", "/v1/repos/pkgs/packages/versions/\(gone)/tombstone", token: token, ["reason": "x"])
            let path = "/v1/repos/pkgs/packages"
            for limit in [1, 2, 100] {
                let names = try await Self.all(path, limit: limit, "packageName", server, token: token)
                #expect(names == ["z", "a", "b", "c", "v", "n"], "by type, namespace, name")
            }
            #expect(try await Self.all("\(path)?type=cargo", limit: 9, "packageName", server, token: token) == ["z"])
            let scoped = try await Self.all(
                "\(path)?type=npm&namespace=@S", limit: 9, "packageName", server, token: token)
            #expect(scoped == ["n"])
            let latest = try await Self.all(path, limit: 100, "latestVersion", server, token: token)
            #expect(latest == ["1.0.0", "1.0.0", "1.0.0", "1.0.0", "10.0.0", "1.0.0"])
            #expect(try await server.send("GET", "\(path)?after=zz", token: token).status == 400)
            #expect(try await server.send("GET", path, token: nil).status == 401)
        }
    }

    @Test(arguments: Engine.direct)
    func `versions are paged in the order of their format`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let order = [
                "1.0.0-alpha", "1.0.0-alpha.2", "1.0.0-alpha.10", "1.0.0", "1.2.0", "1.10.0", "9.0.0", "10.0.0",
            ]
            for version in order.shuffled() { try await server.published("p", version, token: token) }
            _ = try await server.draft("p", "5.0.0", token: token)
            let hidden = try await server.published("p", "6.0.0", token: token)
            try await server.quarantine(hidden, "quarantined")
            let path = "/v1/repos/pkgs/packages/npm/p/versions"
            for limit in [1, 3, 8, 100] {
                let up = try await Self.all("\(path)?order=asc", limit: limit, "version", server, token: token)
                #expect(up == order)
                let down = try await Self.all(path, limit: limit, "version", server, token: token)
                #expect(down == order.reversed())
            }
            #expect(try await server.send("GET", "\(path)?order=up", token: token).status == 400)
            #expect(
                try await server.send("GET", "/v1/repos/pkgs/packages/npm/none/versions", token: token).status == 404)
        }
    }

    @Test(arguments: Engine.direct)
    func `a version is seen in each state as the table says`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let states: [(prepare: String, byCoordinate: Int)] = [
                ("draft", 404), ("published", 200), ("quarantined", 423), ("rejected", 423), ("released", 200),
                ("tombstoned", 404),
            ]
            for (state, status) in states {
                let id = try await server.completeDraft(state, namespace: "n", token: token)
                if state != "draft" { _ = try await server.publish(id, token: token) }
                if ["quarantined", "rejected", "released"].contains(state) { try await server.quarantine(id, state) }
                if state == "tombstoned" {
                    _ = try await server.send(
                        "POST", "/v1/repos/pkgs/packages/versions/\(id)/tombstone", token: token, ["reason": "old"])
                }
                let base = "/v1/repos/pkgs/packages/NPM/\(state)/versions"
                let view = try await server.send("GET", "\(base)/1.0.0?namespace=N", token: token)
                #expect(view.status == status, "\(state) \(view.text)")
                let file = try await server.send("GET", "\(base)/1.0.0/files/file.bin?namespace=n", token: token)
                #expect(file.status == status, "\(state)")
                let list = try await server.send("GET", "\(base)?namespace=n", token: token)
                #expect(list.status == (status == 200 ? 200 : 404), "\(state)")
                let byID = try await server.send("GET", "/v1/repos/pkgs/packages/versions/\(id)", token: token)
                #expect(byID.status == 200 && byID.json["versionId"]?.text == id, "\(state)")
                #expect(byID.json["entries"]?.elements?.count == 1 && byID.json["manifest"]?["name"]?.text == state)
                if state == "tombstoned" { #expect(byID.json["tombstoneReason"] == "old") }
                if status == 423 { #expect(byID.json["quarantineStatus"]?.text == state) }
            }
            let none = "/v1/repos/pkgs/packages/versions/\(UniqueID.random())"
            #expect(try await server.send("GET", none, token: token).status == 404)
        }
    }

    @Test(arguments: Engine.direct)
    func `a file is downloaded by coordinate or by tag, with ranges and conditions`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let bytes = Array("the content of the file".utf8)
            try await server.published("p", bytes: bytes, token: token)
            _ = try await server.send(
                "PUT", "/v1/repos/pkgs/packages/npm/p/tags/latest", token: token, ["version": "1.0.0"])
            for path in ["versions/1.0.0", "tags/latest"] {
                let url = "/v1/repos/pkgs/packages/npm/p/\(path)/files/file.bin"
                let whole = try await server.send("GET", url, token: token)
                #expect(whole.status == 200 && whole.body == bytes)
                let part = try await server.send("GET", url, token: token, headers: [("Range", "bytes=4-10")])
                #expect(part.status == 206 && part.body == Array("content".utf8))
                let known = try await server.send(
                    "GET", url, token: token, headers: [("If-None-Match", whole.headers["etag"] ?? "")])
                #expect(known.status == 304)
                #expect(try await server.send("GET", "\(url)x", token: token).status == 404)
            }
        }
    }

    @Test(arguments: Engine.direct)
    func `a repository that everyone may read shows its packages to everyone`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.token()
            try await server.createRepository("open", settings: ["anonymousRead": true], token: token)
            let id = try await server.published("p", in: "open", token: token)
            for path in [
                "", "/versions/\(id)", "/npm/p/versions", "/npm/p/versions/1.0.0", "/npm/p/tags",
                "/npm/p/versions/1.0.0/files/file.bin", "/versions/\(id)/entries",
            ] {
                let answer = try await server.send("GET", "/v1/repos/open/packages\(path)", token: nil)
                #expect(answer.status == 200, "\(path) \(answer.text)")
            }
            #expect(try await server.send("GET", "/v1/repos/open/packages", token: "wrong").status == 401)
        }
    }

    @Test(arguments: Engine.direct)
    func `entries of a large version are paged`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let digest = try await server.commit(Array("x".utf8), in: "pkgs")
            let id = try await server.draft("p", token: token)
            let entries = (0..<1100).map { number -> JSON in
                ["relativePath": .string("f\(10000 + number)"), "blobDigest": .string(digest.hex), "sizeBytes": 1]
            }
            let put = try await server.send(
                "POST", "/v1/repos/pkgs/packages/versions/\(id)/entries", token: token, ["entries": .array(entries)])
            #expect(put.status == 200)
            let view = try await server.send("GET", "/v1/repos/pkgs/packages/versions/\(id)", token: token)
            #expect(view.json["entries"]?.elements?.count == 1000)
            let next = try #require(view.json["entriesNext"]?.text)
            let rest = try await server.send(
                "GET", "/v1/repos/pkgs/packages/versions/\(id)/entries?after=\(next)", token: token)
            #expect(rest.json["items"]?.elements?.first?["relativePath"] == "f11000")
            let paths = try await Self.all(
                "/v1/repos/pkgs/packages/versions/\(id)/entries", limit: 700, "relativePath", server, token: token)
            #expect(paths.count == 1100 && paths == paths.sorted())
        }
    }

    /// ``VisibleVersions/condition`` beside ``Visibility``.
    @Test(arguments: Engine.direct)
    func `the statement's condition is the domain's table`(engine: Engine) async throws {
        try await engine.withDatabase { database in
            for state in VersionState.allCases {
                for quarantine in QuarantineStatus.allCases.map(Optional.some) + [nil] {
                    let isVisible = try await database.lookup { transaction in
                        try transaction.first(
                            """
                            SELECT 1 FROM (SELECT \(state) AS state) v, (SELECT \(quarantine) AS status) q
                            WHERE \(VisibleVersions.condition)
                            """, as: { _ in true }) ?? false
                    }
                    #expect(isVisible == (Visibility.byCoordinate(state, quarantine) == .visible))
                }
            }
        }
    }
}
