// What virtual repositories are made of, who decides it, and publishing through them.

import Domain
import HTTP
import Persistence
import TestSupport
import Testing

@testable import artifortress

@Suite struct VirtualWriteTests {
    private static func withMembers(
        _ engine: Engine, _ body: @Sendable (Installation, String) async throws -> Void
    ) async throws {
        try await Installation.with(engine) { server in
            let admin = try await server.token()
            for key in ["a", "b"] { try await server.createRepository(key, token: admin) }
            try await server.createVirtual("v", of: ["a"], token: admin)
            try await body(server, admin)
        }
    }

    @Test(arguments: Engine.direct)
    func `members, membersReadable and deployTo need admin on each member concerned`(engine: Engine) async throws {
        try await Self.withMembers(engine) { server, admin in
            func update(_ scopes: [String], _ members: [String], _ settings: JSON = [:]) async throws -> Int {
                let token = try await server.token(scopes.map { "repo:\($0):admin" })
                return try await server.updateVirtual("v", to: members, settings: settings, token: token).status
            }
            #expect(try await update(["v"], ["a"]) == 200, "nothing is added")
            #expect(try await update(["v"], ["a", "b"]) == 403)
            #expect(try await update(["v", "b"], ["a", "b"]) == 200)
            #expect(try await update(["v"], ["b", "a"]) == 200)
            #expect(try await update(["v", "b"], ["b", "a"], ["membersReadable": true]) == 403)
            #expect(try await update(["v", "a", "b"], ["b", "a"], ["membersReadable": true]) == 200)
            #expect(try await update(["v"], ["b", "a"], ["membersReadable": true]) == 200, "as it was")
            #expect(try await update(["v"], ["b"], ["membersReadable": true]) == 200, "one is taken away")
            #expect(try await update(["v"], ["b", "a"], ["deployTo": "a"]) == 403)
            #expect(try await update(["v", "a"], ["b", "a"], ["deployTo": "a"]) == 200)
            #expect(try await update(["v"], ["a", "b"], ["deployTo": "a"]) == 200, "as it was")
            #expect(try await update(["a", "b"], ["a", "b"]) == 403, "the virtual repository itself")
            // A repository inside one whose readers read all members.
            try await server.createVirtual("outer", of: ["v"], settings: ["membersReadable": true], token: admin)
            try await server.createRepository("c", token: admin)
            try await server.createVirtual("w", of: ["c"], token: admin)
            #expect(try await update(["v", "w"], ["a", "b", "w"]) == 403)
            #expect(try await update(["v", "w", "c"], ["a", "b", "w"]) == 200)
        }
    }

    @Test(arguments: Engine.direct)
    func `settings of virtual repositories are checked`(engine: Engine) async throws {
        try await Self.withMembers(engine) { server, admin in
            for settings in [["deployTo": "b"], ["deployTo": "none"], ["deployTo": 1], ["deployTo": "v"]] as [JSON] {
                let answer = try await server.updateVirtual("v", to: ["a"], settings: settings, token: admin)
                #expect(answer.status == 400, "\(settings): \(answer.text)")
            }
            for settings in [["deployTo": "a"], ["membersReadable": true]] as [JSON] {
                let answer = try await server.send("PUT", "/v1/repos/a", token: admin, ["settings": settings])
                #expect(answer.status == 400 && answer.text.contains("virtual"), "\(settings): \(answer.text)")
            }
            let made = try await server.updateVirtual(
                "v", to: ["a"], settings: ["DEPLOYTO": " A ", "membersReadable": false], token: admin)
            #expect(made.status == 200 && made.json["settings"]?["deployTo"] == "a", "\(made.text)")
            #expect(made.json["settings"]?["membersReadable"] == nil)
        }
    }

    @Test(arguments: Engine.direct)
    func `files are published to deployTo by callers with the role there`(engine: Engine) async throws {
        try await Self.withMembers(engine) { server, admin in
            let none = try await server.putFile("x", "1", in: "v", token: admin)
            #expect(none.status == 409 && none.text.contains("deployTo"), "\(none.text)")
            #expect(try await server.send("DELETE", "/generic/v/x", token: admin).status == 409)
            _ = try await server.updateVirtual("v", to: ["b", "a"], settings: ["deployTo": "a"], token: admin)
            let writer = try await server.token(["repo:a:write"])
            let other = try await server.token(["repo:v:write", "repo:b:write"])
            #expect(try await server.putFile("x", "1", in: "v", token: other).status == 403)
            #expect(try await server.send("DELETE", "/generic/v/x", token: other).status == 403)
            let put = try await server.putFile("x", "1", in: "v", token: writer)
            #expect(put.status == 201 && put.headers["location"] == "/generic/a/x", "\(put.text)")
            #expect(try await server.file("x", in: "a", token: admin) == "1")
            #expect(try await server.file("x", in: "b", token: admin) == "404")
            #expect(try await server.file("x", in: "v", token: admin) == "1")
            #expect(try await server.send("DELETE", "/generic/v/x", token: writer).status == 204)
            #expect(try await server.file("x", in: "a", token: admin) == "404")
            let junk = try await server.putFile("y", "1", in: "v", token: "junk")
            #expect(junk.status == 401)
            // The target is taken away from a repository inside the virtual one.
            try await server.createVirtual("w", of: ["a"], token: admin)
            _ = try await server.updateVirtual("v", to: ["b", "w"], settings: ["deployTo": "a"], token: admin)
            _ = try await server.updateVirtual("w", to: ["b"], token: admin)
            let gone = try await server.putFile("y", "1", in: "v", token: admin)
            #expect(gone.status == 409 && gone.text.contains("no longer a member"), "\(gone.text)")
        }
    }

    @Test(arguments: Engine.direct)
    func `versions, uploads, tags and attestations go to deployTo`(engine: Engine) async throws {
        try await Self.withMembers(engine) { server, admin in
            let draft: JSON = ["packageType": "npm", "packageName": "p", "version": "1.0.0"]
            let drafts = "/v1/repos/v/packages/versions/drafts"
            #expect(try await server.send("POST", drafts, token: admin, draft).status == 409)
            let upload: JSON = [
                "expectedDigest": .string(String(repeating: "a", count: 64)), "expectedLength": 5,
            ]
            #expect(try await server.send("POST", "/v1/repos/v/uploads", token: admin, upload).status == 409)
            _ = try await server.updateVirtual("v", to: ["b", "a"], settings: ["deployTo": "a"], token: admin)
            let other = try await server.token(["repo:v:admin", "repo:b:admin"])
            #expect(try await server.send("POST", drafts, token: other, draft).status == 403)
            let session = try await server.send("POST", "/v1/repos/v/uploads", token: admin, upload)
            #expect(session.status == 201 && session.json["repoKey"] == "a", "\(session.text)")
            let id = try #require(session.json["uploadId"]?.text)
            #expect(try await server.send("GET", "/v1/repos/v/uploads/\(id)", token: admin).status == 200)

            let digest = try await server.commit(Array("content".utf8), in: "a")
            let version = try await server.draft("p", in: "v", token: admin)
            let entry = try await server.putEntry("f", digest, length: 7, of: version, in: "v", token: admin)
            #expect(entry.status == 200 && entry.json["repoKey"] == "a", "\(entry.text)")
            let manifest = try await server.putManifest(
                ["name": "p", "version": "1.0.0"], of: version, in: "v", token: admin)
            #expect(manifest.status == 200, "\(manifest.text)")
            let writer = try await server.token(["repo:a:write", "repo:v:read"])
            #expect(try await server.publish(version, in: "v", token: writer).status == 403)
            #expect(try await server.publish(version, in: "v", token: admin).status == 200)
            let tag = try await server.send(
                "PUT", "/v1/repos/v/packages/npm/p/tags/latest", token: admin, ["version": "1.0.0"])
            #expect(tag.status == 201, "\(tag.text)")
            let shown = try await server.send("GET", "/v1/repos/a/packages/npm/p/tags/latest", token: admin)
            #expect(shown.json["versionId"]?.text == version)
            let tombstone = try await server.send(
                "POST", "/v1/repos/v/packages/versions/\(version)/tombstone", token: admin, ["reason": "r"])
            #expect(tombstone.status == 200, "\(tombstone.text)")
        }
    }

    @Test(arguments: Engine.direct)
    func `a repository that is deleted is no member any more`(engine: Engine) async throws {
        try await Self.withMembers(engine) { server, admin in
            try await server.createVirtual("w", of: ["b"], token: admin)
            _ = try await server.updateVirtual(
                "v", to: ["a", "w"], settings: ["deployTo": "b", "membersReadable": true], token: admin)
            #expect(try await server.send("DELETE", "/v1/repos/b", token: admin).status == 200)
            let shown = try await server.send("GET", "/v1/repos/v", token: admin)
            #expect(shown.json["settings"]?["deployTo"] == nil && shown.json["memberRepos"] == ["a", "w"])
            #expect(try await server.send("GET", "/v1/repos/w", token: admin).json["memberRepos"] == [])
            #expect(try await server.count("repository_members") == 1)
            // A new repository of that name is not one.
            try await server.createRepository("b", token: admin)
            _ = try await server.putFile("x", "1", in: "b", token: admin)
            #expect(try await server.file("x", in: "v", token: admin) == "404")
            #expect(try await server.send("DELETE", "/v1/repos/w", token: admin).status == 200)
            #expect(try await server.send("GET", "/v1/repos/v", token: admin).json["memberRepos"] == ["a"])
        }
    }
}
