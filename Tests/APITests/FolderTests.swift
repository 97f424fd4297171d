// Folders of generic repositories: they are what paths have in common, so they cannot be written or deleted, and a path is
// never both a file and a folder. Rules: docs/formats/generic.md.

import Domain
import HTTP
import Persistence
import TestSupport
import Testing

@testable import artifortress

@Suite struct FolderTests {
    private static func with(
        _ engine: Engine, _ body: @Sendable (Installation, _ token: String) async throws -> Void
    ) async throws {
        try await Installation.with(engine, ["database.poolSize": "8"]) { server in
            let token = try await server.token()
            try await server.createRepository("files", settings: ["overwrite": true], token: token)
            try await body(server, token)
        }
    }

    private static func put(_ path: String, to server: Installation, _ token: String) async throws -> Answer {
        try await server.send(
            "PUT", "/generic/files/\(path)", headers: [("Authorization", "Bearer \(token)")], body: Array(path.utf8))
    }

    @Test(arguments: Engine.direct)
    func `a folder cannot be written, deleted or fetched as a file`(engine: Engine) async throws {
        try await Self.with(engine) { server, token in
            #expect(try await Self.put("a/1.0/f", to: server, token).status == 201)
            for path in ["a/1.0/", "new/", ""] {
                for method in ["PUT", "DELETE"] {
                    let answer = try await server.send(method, "/generic/files/\(path)", token: token)
                    let word = method == "PUT" ? "cannot be written" : "cannot be deleted"
                    #expect(answer.status == 400 && answer.text.contains(word), "\(answer.text)")
                }
            }
            let deletion = try await server.send("DELETE", "/generic/files/a/1.0", token: token)
            #expect(deletion.status == 404 && deletion.text.contains("cannot be deleted"))
            let fetch = try await server.send("GET", "/generic/files/a/1.0", token: token)
            #expect(fetch.status == 404 && fetch.error == "not_found")
            #expect(fetch.json["listing"] == "/generic/files/a/1.0/")
            let json = try await server.send(
                "GET", "/generic/files/a/1.0", token: token, headers: [("Accept", "application/json, text/html")])
            #expect(json.status == 404)
            // Nothing is told about folders to a caller that may not read.
            let closed = try await server.send(
                "GET", "/generic/files/a/1.0", headers: [("Accept", "text/html")])
            #expect(closed.status == 401)
            let nothing = try await server.send(
                "GET", "/generic/files/a/1", token: token, headers: [("Accept", "text/html")])
            #expect(nothing.status == 404 && nothing.json["listing"] == nil)
        }
    }

    @Test(arguments: Engine.direct)
    func `a file and a folder cannot have the same path`(engine: Engine) async throws {
        try await Self.with(engine) { server, token in
            let cases: [(first: String, second: String)] = [
                ("a", "a/b"), ("b/c", "b"), ("c", "c/d/e/f"), ("d/e/f/g", "d/e"), ("%C3%A9/x", "%C3%A9"),
                ("s%2Ft", "s"),
                ((1...40).map(String.init).joined(separator: "/"), (1...30).map(String.init).joined(separator: "/")),
            ]
            for (first, second) in cases {
                #expect(try await Self.put(first, to: server, token).status == 201)
                let answer = try await Self.put(second, to: server, token)
                #expect(answer.status == 409 && answer.error == "conflict", "\(second): \(answer.text)")
                #expect(answer.json["path"] != nil)
                // Large files are rejected before their bytes are sent.
                let early = try await server.send(
                    "PUT", "/generic/files/\(second)",
                    headers: [("Authorization", "Bearer \(token)"), ("Expect", "100-continue")], body: [1])
                #expect(early.status == 409)
                #expect(try await server.send("GET", "/generic/files/\(second)", token: token).status == 404)
            }
            // Names that only begin alike are no folders of each other.
            for path in ["a-b", "a.b/c", "a0", "a!/x", "b/cc", "b/c.d"] {
                #expect(try await Self.put(path, to: server, token).status == 201, "\(path)")
            }
            // A deleted file makes room, and what is there can be overwritten.
            #expect(try await server.send("DELETE", "/generic/files/a", token: token).status == 204)
            #expect(try await Self.put("a/b", to: server, token).status == 201)
            #expect(try await Self.put("a", to: server, token).status == 409)
            #expect(try await Self.put("a/b", to: server, token).status == 204)
        }
    }

    @Test(arguments: Engine.direct)
    func `promotions and tags keep to it too`(engine: Engine) async throws {
        try await Self.with(engine) { server, token in
            try await server.createRepository("source", token: token)
            let put = try await server.send(
                "PUT", "/generic/source/a", headers: [("Authorization", "Bearer \(token)")], body: [1])
            #expect(put.status == 201)
            #expect(try await Self.put("a/b", to: server, token).status == 201)
            let list = try await server.send("GET", "/v1/repos/source/packages/generic/a/versions", token: token)
            let version = try #require(list.json["items"]?.elements?.first?["versionId"]?.text, "\(list.text)")
            let promotion = try await server.send(
                "POST", "/v1/repos/source/packages/versions/\(version)/promote", token: token, ["targetRepo": "files"])
            #expect(promotion.status == 409 && promotion.text.contains("folder"), "\(promotion.text)")
            // A version of the same name that came another way, to which the tag of files would point.
            _ = try await server.published("a", type: "generic", in: "files", token: token)
            let tag = try await server.send(
                "PUT", "/v1/repos/files/packages/generic/a/tags/head", token: token, ["version": "1.0.0"])
            #expect(tag.status == 409 && tag.text.contains("folder"), "\(tag.text)")
        }
    }

    @Test(arguments: Engine.direct, 1...3 as ClosedRange<UInt64>)
    func `of writers that exclude each other at the same time, one kind wins`(engine: Engine, seed: UInt64) async throws
    {
        try await Self.with(engine) { server, token in
            var random = SplitMix64(seed)
            var wins: Set<Bool> = []
            for round in 0..<12 {
                let depth = Int.random(in: 1...3, using: &random)
                let file = "r\(round)" + String(repeating: "/d", count: depth - 1)
                let inside = (0..<4).map { "\(file)/\($0)" + ($0 == 3 ? "/deep" : "") }
                let paths = ([file] + inside).shuffled(using: &random)
                let statuses = try await withThrowingTaskGroup(of: (String, Int).self) { group in
                    for path in paths {
                        group.addTask { (path, try await Self.put(path, to: server, token).status) }
                    }
                    return try await group.reduce(into: [String: Int]()) { $0[$1.0] = $1.1 }
                }
                #expect(statuses.values.allSatisfy { $0 == 201 || $0 == 409 }, "\(statuses)")
                let isFile = statuses[file] == 201
                wins.insert(isFile)
                for path in inside { #expect(statuses[path] == (isFile ? 409 : 201), "\(statuses)") }
                for path in [file] + inside {
                    let status = try await server.send("GET", "/generic/files/\(path)", token: token).status
                    #expect(status == (statuses[path] == 201 ? 200 : 404), "\(path)")
                }
            }
            #expect(!wins.isEmpty)
        }
    }

    @Test(arguments: Engine.direct)
    func `pairs that were published before this rule stay, and can be overwritten and deleted`(engine: Engine)
        async throws
    {
        try await Self.with(engine) { server, token in
            #expect(try await Self.put("a/b", to: server, token).status == 201)
            #expect(try await Self.put("old", to: server, token).status == 201)
            // What an older release has left behind.
            try await server.database.transaction { transaction in
                _ = try transaction.execute("UPDATE packages SET name = 'a' WHERE name = 'old'")
            }
            for path in ["a", "a/b"] {
                #expect(try await server.send("GET", "/generic/files/\(path)", token: token).status == 200, "\(path)")
                #expect(try await Self.put(path, to: server, token).status == 204)
            }
            let list = try await server.send("GET", "/generic/files/", token: token)
            #expect(list.json["entries"]?.elements?.compactMap { $0["name"]?.text } == ["a", "a/"])
            #expect(try await Self.put("a/c", to: server, token).status == 409)
            #expect(try await server.send("DELETE", "/generic/files/a", token: token).status == 204)
            #expect(try await Self.put("a/c", to: server, token).status == 201)
        }
    }
}
