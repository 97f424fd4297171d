// Files and listings through virtual repositories, and blobs by digest.

import Cryptography
import Domain
import HTTP
import Persistence
import TestSupport
import Testing

@testable import artifortress

@Suite struct VirtualFileTests {
    private static func withMembers(
        _ engine: Engine, _ body: @Sendable (Installation, String) async throws -> Void
    ) async throws {
        try await Installation.with(engine) { server in
            let admin = try await server.token()
            for key in ["a", "b", "c"] {
                try await server.createRepository(key, settings: ["overwrite": true], token: admin)
            }
            try await server.createVirtual("inner", of: ["b", "c"], token: admin)
            try await server.createVirtual("v", of: ["a", "inner"], token: admin)
            try await body(server, admin)
        }
    }

    @Test(arguments: Engine.direct)
    func `the first member that has a file decides`(engine: Engine) async throws {
        try await Self.withMembers(engine) { server, admin in
            for (repo, path) in [("a", "x"), ("b", "x"), ("b", "y"), ("c", "y"), ("c", "z")] {
                let answer = try await server.putFile(path, "\(path) of \(repo)", in: repo, token: admin)
                #expect(answer.status == 201, "\(answer.text)")
            }
            #expect(try await server.file("x", in: "v", token: admin) == "x of a")
            #expect(try await server.file("y", in: "v", token: admin) == "y of b")
            #expect(try await server.file("z", in: "v", token: admin) == "z of c")
            #expect(try await server.file("none", in: "v", token: admin) == "404")
            let checksum = try await server.file("x.sha256", in: "v", token: admin)
            #expect(checksum == SHA256.digest(of: "x of a").hex)
            // What is cached is not read after a change.
            let deleted = try await server.send("DELETE", "/generic/a/x", token: admin)
            #expect(deleted.status == 204)
            #expect(try await server.file("x", in: "v", token: admin) == "x of b")
            #expect(try await server.putFile("x", "again", in: "a", token: admin).status == 201)
            #expect(try await server.file("x", in: "v", token: admin) == "again")
            #expect(try await server.updateVirtual("v", to: ["c", "b", "a"], token: admin).status == 200)
            #expect(try await server.file("x", in: "v", token: admin) == "x of b")
            #expect(try await server.file("y", in: "v", token: admin) == "y of c")
        }
    }

    @Test(arguments: Engine.direct)
    func `a file in quarantine is not replaced by that of a later member`(engine: Engine) async throws {
        try await Self.withMembers(engine) { server, admin in
            for repo in ["a", "b"] { _ = try await server.putFile("x", "x of \(repo)", in: repo, token: admin) }
            _ = try await server.putFile("d/x", "x", in: "a", token: admin)
            _ = try await server.putFile("d/x", "x", in: "b", token: admin)
            for path in ["x", "d/x"] { try await server.withhold(path, in: "a") }
            #expect(try await server.file("x", in: "v", token: admin) == "423")
            #expect(try await server.names(in: "v", token: admin) == [])
            #expect(try await server.names("d/", in: "v", token: admin) == ["404"])
            #expect(try await server.file("d", in: "v", token: admin) == "404")
            // For a caller who cannot read the first member, it is not there.
            let other = try await server.token(["repo:v:read", "repo:b:read"])
            #expect(try await server.file("x", in: "v", token: other) == "x of b")
            #expect(try await server.names(in: "v", token: other) == ["d/", "x"])
        }
    }

    @Test(arguments: Engine.direct)
    func `a caller sees the members that it may read`(engine: Engine) async throws {
        try await Self.withMembers(engine) { server, admin in
            for repo in ["a", "b", "c"] {
                _ = try await server.putFile("x", "x of \(repo)", in: repo, token: admin)
                _ = try await server.putFile("only-\(repo)", repo, in: repo, token: admin)
            }
            let some = try await server.token(["repo:v:read", "repo:b:read"])
            let none = try await server.token(["repo:v:read"])
            let outside = try await server.token(["repo:a:read", "repo:b:read", "repo:c:read"])
            #expect(try await server.file("x", in: "v", token: some) == "x of b")
            #expect(try await server.file("only-a", in: "v", token: some) == "404")
            #expect(try await server.names(in: "v", token: some) == ["only-b", "x"])
            #expect(try await server.file("x", in: "v", token: none) == "404")
            #expect(try await server.names(in: "v", token: none) == [])
            #expect(try await server.file("x", in: "v", token: outside) == "403")
            #expect(try await server.file("x", in: "v", token: nil) == "401")
            let update = try await server.updateVirtual(
                "v", to: ["a", "inner"], settings: ["membersReadable": true], token: admin)
            #expect(update.status == 200 && update.json["settings"]?["membersReadable"] == true, "\(update.text)")
            #expect(try await server.file("x", in: "v", token: none) == "x of a")
            #expect(try await server.names(in: "v", token: none) == ["only-a", "only-b", "only-c", "x"])
            #expect(try await server.file("x", in: "v", token: outside) == "403")
            #expect(try await server.file("x", in: "a", token: none) == "403", "only through the virtual repository")
            // Without a token: what anyone may read of the virtual repository and of the member.
            _ = try await server.updateVirtual(
                "v", to: ["a", "inner"], settings: ["anonymousRead": true], token: admin)
            #expect(try await server.file("x", in: "v", token: nil) == "404")
            _ = try await server.send("PUT", "/v1/repos/c", token: admin, ["settings": ["anonymousRead": true]])
            #expect(try await server.file("x", in: "v", token: nil) == "x of c")
        }
    }

    @Test(arguments: Engine.direct)
    func `a listing is merged and pages in order`(engine: Engine) async throws {
        try await Self.withMembers(engine) { server, admin in
            let files = ["a": ["k", "m/1", "z"], "b": ["k", "l", "m/1", "m/2"], "c": ["a", "m.txt", "n/x/y"]]
            for (repo, paths) in files {
                for path in paths { _ = try await server.putFile(path, "\(path) of \(repo)", in: repo, token: admin) }
            }
            let all = ["a", "k", "l", "m.txt", "m/", "n/", "z"]
            #expect(try await server.names(in: "v", token: admin) == all)
            #expect(try await server.names("?after=m/", in: "v", token: admin) == ["n/", "z"])
            #expect(try await server.names("?after=k", in: "v", token: admin) == ["l", "m.txt", "m/", "n/", "z"])
            #expect(try await server.names("m/", in: "v", token: admin) == ["1", "2"])
            let listing = try await server.send("GET", "/generic/v/", token: admin)
            let first = listing.json["entries"]?.elements?.first { $0["name"] == "k" }
            #expect(first?["sha256"]?.text == SHA256.digest(of: "k of a").hex)
            let folder = try await server.send("GET", "/generic/v/n", token: admin)
            #expect(folder.status == 404 && folder.json["listing"] == "/generic/v/n/", "\(folder.text)")
        }
    }

    @Test(arguments: Engine.direct)
    func `a blob can be read if one readable member shows it`(engine: Engine) async throws {
        try await Self.withMembers(engine) { server, admin in
            for repo in ["a", "b"] { _ = try await server.putFile("x", "same", in: repo, token: admin) }
            let path = "/v1/repos/v/blobs/\(SHA256.digest(of: "same").hex)"
            let none = try await server.token(["repo:v:read"])
            #expect(try await server.send("GET", path, token: admin).text == "same")
            #expect(try await server.send("GET", path, token: none).status == 404)
            try await server.withhold("x", in: "a")
            #expect(try await server.send("GET", path, token: admin).status == 200)
            try await server.withhold("x", in: "b")
            #expect(try await server.send("GET", path, token: admin).status == 423)
        }
    }
}
