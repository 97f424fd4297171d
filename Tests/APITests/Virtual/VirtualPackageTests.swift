// Packages, versions, tags and the search through virtual repositories.

import Domain
import HTTP
import Persistence
import TestSupport
import Testing

@testable import artifortress

@Suite struct VirtualPackageTests {
    private static let base = "/v1/repos/v/packages"

    /// `p` 1.0.0 and 3.0.0 in `a`; `p` 1.0.0 and 2.0.0, and `only` in `b`.
    private struct Packages {
        let admin: String
        /// By member and version.
        let ids: [String: String]
    }

    private static func withPackages(
        _ engine: Engine, _ body: @Sendable (Installation, Packages) async throws -> Void
    ) async throws {
        try await Installation.with(engine) { server in
            let admin = try await server.token()
            for key in ["a", "b"] { try await server.createRepository(key, token: admin) }
            var ids: [String: String] = [:]
            for (repo, version) in [("a", "1.0.0"), ("a", "3.0.0"), ("b", "1.0.0"), ("b", "2.0.0")] {
                ids["\(repo) \(version)"] = try await server.published(
                    "p", version, bytes: Array("\(version) of \(repo)".utf8), in: repo, token: admin)
            }
            try await server.published("only", "1.0.0", in: "b", token: admin)
            for (repo, tag, version) in [
                ("a", "latest", "3.0.0"), ("b", "latest", "2.0.0"), ("b", "beta", "2.0.0"), ("a", "old", "1.0.0"),
            ] {
                let answer = try await server.send(
                    "PUT", "/v1/repos/\(repo)/packages/npm/p/tags/\(tag)", token: admin,
                    ["version": .string(version)])
                try #require(answer.status == 201, "\(answer.text)")
            }
            try await server.createVirtual("v", of: ["a", "b"], token: admin)
            try await body(server, Packages(admin: admin, ids: ids))
        }
    }

    private static func items(_ answer: Answer, _ key: String) -> [String] {
        (answer.json["items"]?.elements ?? []).map { $0[key]?.text ?? "?" }
    }

    @Test(arguments: Engine.direct)
    func `lists of packages and versions are merged`(engine: Engine) async throws {
        try await Self.withPackages(engine) { server, packages in
            let list = try await server.send("GET", Self.base, token: packages.admin)
            #expect(Self.items(list, "packageName") == ["only", "p"])
            #expect(Self.items(list, "latestVersion") == ["1.0.0", "3.0.0"])
            let first = try await server.send("GET", "\(Self.base)?limit=1", token: packages.admin)
            let next = try #require(first.json["next"]?.text)
            let second = try await server.send("GET", "\(Self.base)?limit=1&after=\(next)", token: packages.admin)
            #expect(Self.items(first, "packageName") == ["only"] && Self.items(second, "packageName") == ["p"])

            let versions = try await server.send("GET", "\(Self.base)/npm/p/versions", token: packages.admin)
            #expect(Self.items(versions, "version") == ["3.0.0", "2.0.0", "1.0.0"])
            #expect(Self.items(versions, "versionId").last == packages.ids["a 1.0.0"])
            var seen: [String] = []
            var after = ""
            for _ in 0..<4 {
                let page = try await server.send(
                    "GET", "\(Self.base)/npm/p/versions?order=asc&limit=1\(after)", token: packages.admin)
                seen += Self.items(page, "version")
                guard let next = page.json["next"]?.text else { break }
                after = "&after=\(next)"
            }
            #expect(seen == ["1.0.0", "2.0.0", "3.0.0"])
            #expect(try await server.send("GET", "\(Self.base)/npm/none/versions", token: packages.admin).status == 404)

            let some = try await server.token(["repo:v:read", "repo:b:read"])
            let visible = try await server.send("GET", "\(Self.base)/npm/p/versions", token: some)
            #expect(Self.items(visible, "version") == ["2.0.0", "1.0.0"])
            #expect(Self.items(visible, "versionId").last == packages.ids["b 1.0.0"])
            let none = try await server.token(["repo:v:read"])
            let nothing = try await server.send("GET", Self.base, token: none)
            #expect(nothing.status == 200 && Self.items(nothing, "packageName") == [])
        }
    }

    @Test(arguments: Engine.direct)
    func `a version, its files and its manifest are those of the first member`(engine: Engine) async throws {
        try await Self.withPackages(engine) { server, packages in
            let path = "\(Self.base)/npm/p/versions/1.0.0"
            let version = try await server.send("GET", path, token: packages.admin)
            #expect(version.json["versionId"]?.text == packages.ids["a 1.0.0"] && version.json["repoKey"] == "a")
            let file = try await server.send("GET", "\(path)/files/file.bin", token: packages.admin)
            #expect(file.text == "1.0.0 of a")
            let id = try #require(packages.ids["b 1.0.0"])
            for suffix in ["", "/entries", "/manifest", "/attestations"] {
                let answer = try await server.send("GET", "\(Self.base)/versions/\(id)\(suffix)", token: packages.admin)
                #expect(answer.status == 200 && answer.json["repoKey"] == "b", "\(suffix): \(answer.text)")
            }
            let first = try await server.token(["repo:v:read", "repo:a:read"])
            #expect(try await server.send("GET", "\(Self.base)/versions/\(id)", token: first).status == 404)
            #expect(try await server.send("GET", "\(Self.base)/versions/\(id)/manifest", token: first).status == 404)
        }
    }

    @Test(arguments: Engine.direct)
    func `a version in quarantine hides those of later members`(engine: Engine) async throws {
        try await Self.withPackages(engine) { server, packages in
            let id = try #require(packages.ids["a 1.0.0"])
            try await server.quarantine(id, as: .quarantined)
            let path = "\(Self.base)/npm/p/versions/1.0.0"
            #expect(try await server.send("GET", path, token: packages.admin).status == 423)
            #expect(try await server.send("GET", "\(path)/files/file.bin", token: packages.admin).status == 423)
            #expect(try await server.send("GET", "\(Self.base)/npm/p/tags/old", token: packages.admin).status == 423)
            let versions = try await server.send("GET", "\(Self.base)/npm/p/versions", token: packages.admin)
            #expect(Self.items(versions, "version") == ["3.0.0", "2.0.0"])
            let some = try await server.token(["repo:v:read", "repo:b:read"])
            #expect(try await server.send("GET", path, token: some).json["repoKey"] == "b")
            let tombstone = try await server.send(
                "POST", "/v1/repos/a/packages/versions/\(id)/tombstone", token: packages.admin, ["reason": "r"])
            #expect(tombstone.status == 200, "\(tombstone.text)")
            #expect(try await server.send("GET", path, token: packages.admin).json["repoKey"] == "b")
        }
    }

    @Test(arguments: Engine.direct)
    func `tags are merged, the first member's first`(engine: Engine) async throws {
        try await Self.withPackages(engine) { server, packages in
            let path = "\(Self.base)/npm/p/tags"
            let tags = try await server.send("GET", path, token: packages.admin)
            #expect(Self.items(tags, "tag") == ["beta", "latest", "old"])
            #expect(Self.items(tags, "version") == ["2.0.0", "3.0.0", "1.0.0"])
            let page = try await server.send("GET", "\(path)?limit=2", token: packages.admin)
            let next = try #require(page.json["next"]?.text)
            let rest = try await server.send("GET", "\(path)?limit=2&after=\(next)", token: packages.admin)
            #expect(Self.items(rest, "tag") == ["old"])
            #expect(try await server.send("GET", "\(path)/latest", token: packages.admin).json["version"] == "3.0.0")
            let file = try await server.send("GET", "\(path)/latest/files/file.bin", token: packages.admin)
            #expect(file.text == "3.0.0 of a")
            let history = try await server.send("GET", "\(path)/beta/history", token: packages.admin)
            #expect(history.json["items"]?.elements?.count == 1)
            #expect(try await server.send("GET", "\(path)/none", token: packages.admin).status == 404)
            try await server.quarantine(try #require(packages.ids["a 3.0.0"]), as: .quarantined)
            let left = try await server.send("GET", path, token: packages.admin)
            #expect(Self.items(left, "tag") == ["beta", "old"], "b's 'latest' does not take its place")
        }
    }

    @Test(arguments: Engine.direct)
    func `the search covers the members, each version once`(engine: Engine) async throws {
        try await Self.withPackages(engine) { server, packages in
            try await server.index()
            for query in ["q=p", "q=p&match=prefix", ""] {
                let found = try await server.found(query, in: "v", token: packages.admin).filter { $0.hasPrefix("p@") }
                #expect(Set(found) == ["p@1.0.0", "p@2.0.0", "p@3.0.0"] && found.count == 3, "\(query)")
            }
            let answer = try await server.send(
                "GET", "/v1/repos/v/search/packages?q=p&facets=type", token: packages.admin)
            #expect(answer.json["totalCount"] == 3 && answer.json["facets"]?["type"]?["npm"] == 3, "\(answer.text)")
            let first = answer.json["items"]?.elements?.first { $0["version"] == "1.0.0" }
            #expect(first?["repoKey"] == "a")
            let some = try await server.token(["repo:v:read", "repo:b:read"])
            #expect(Set(try await server.found("q=p", in: "v", token: some)) == ["p@1.0.0", "p@2.0.0"])
            let none = try await server.token(["repo:v:read"])
            #expect(try await server.found("q=p", in: "v", token: none) == [])
            try await server.quarantine(try #require(packages.ids["a 1.0.0"]), as: .quarantined)
            #expect(Set(try await server.found("q=p", in: "v", token: packages.admin)) == ["p@2.0.0", "p@3.0.0"])
        }
    }
}
