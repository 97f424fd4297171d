// Names that look alike: kept apart by their bytes; the second one is refused unless the repository allows it.

import Domain
import HTTP
import Persistence
import TestSupport
import Testing

@testable import artifortress

@Suite struct ConfusableNameTests {
    private static let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")

    @Test(arguments: Engine.direct)
    func `a second name that looks like the first is refused`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            try await server.published(Self.composed, "1.0.0", token: token)
            func draft(_ name: String, _ version: String, namespace: String? = nil) async throws -> Answer {
                try await server.send(
                    "POST", "/v1/repos/pkgs/packages/versions/drafts", token: token,
                    [
                        "packageType": "npm", "packageNamespace": JSON(namespace), "packageName": .string(name),
                        "version": .string(version),
                    ])
            }
            let name = try await draft(Self.decomposed, "1.0.0")
            #expect(name.status == 409 && name.json["error"] == "confusable_name", "\(name.text)")
            #expect(name.json["existingName"] == .string(Self.composed))
            #expect(name.json["name"] == .string(Self.decomposed))
            #expect(try await draft("other", "1.0.0", namespace: "\u{E9}").status == 201)
            #expect(try await draft("other", "1.0.0", namespace: "e\u{301}").json["error"] == "confusable_name")
            #expect(try await draft(Self.composed, "2-\u{E9}").status == 201)
            #expect(try await draft(Self.composed, "2-e\u{301}").json["error"] == "confusable_name")
            #expect(try await draft(Self.composed, "2-\u{E9}").status == 200, "the same name again")
            #expect(try await server.count("packages") == 2)
        }
    }

    @Test(arguments: Engine.direct)
    func `tags that look alike are two tags, if they are allowed`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.token()
            for (repo, allows) in [("strict", false), ("lax", true)] {
                try await server.createRepository(
                    repo, settings: ["allowConfusableNames": .bool(allows)], token: token)
                for version in ["1.0.0", "2.0.0"] {
                    try await server.published("p", version, in: repo, token: token)
                }
                let tags = "/v1/repos/\(repo)/packages/npm/p/tags"
                #expect(try await server.send("PUT", "\(tags)/K", token: token, ["version": "1.0.0"]).status == 201)
                let second = try await server.send("PUT", "\(tags)/%E2%84%AA", token: token, ["version": "2.0.0"])
                #expect(second.status == (allows ? 201 : 409), "\(second.text)")
                #expect(try await server.send("GET", "\(tags)/K", token: token).json["version"] == "1.0.0")
                let other = try await server.send("GET", "\(tags)/%E2%84%AA", token: token)
                #expect(other.status == (allows ? 200 : 404))
                if allows { #expect(other.json["version"] == "2.0.0") }
                #expect(
                    try await server.send("PUT", "\(tags)/%C2%85", token: token, ["version": "1.0.0"]).status == 400)
                #expect(
                    try await server.send("PUT", "\(tags)/a%E2%80%AE", token: token, ["version": "1.0.0"]).status == 400
                )
            }
        }
    }

    @Test(arguments: Engine.direct)
    func `paths of one version that look alike are refused, in one request and in two`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.token()
            for (repo, allows) in [("strict", false), ("lax", true)] {
                try await server.createRepository(
                    repo, settings: ["allowConfusableNames": .bool(allows)], token: token)
                let digest = try await server.commit([1, 2, 3], in: repo)
                let id = try await server.draft("p", in: repo, token: token)
                func put(_ paths: [String]) async throws -> Answer {
                    let entries = paths.map { path in
                        [
                            "relativePath": .string(path), "blobDigest": .string(digest.hex), "sizeBytes": 3,
                        ] as JSON
                    }
                    return try await server.send(
                        "POST", "/v1/repos/\(repo)/packages/versions/\(id)/entries", token: token,
                        ["entries": .array(entries)])
                }
                let both = try await put(["Kit.tgz", "\u{212A}it.tgz"])
                #expect(both.status == (allows ? 200 : 409), "\(both.text)")
                #expect(try await put(["\u{E9}.txt"]).status == 200)
                let second = try await put(["e\u{301}.txt"])
                #expect(second.status == (allows ? 200 : 409), "\(second.text)")
                if !allows { #expect(second.json["error"] == "confusable_name") }
                #expect(try await put(["\u{E9}.txt"]).status == 200, "the same path again")
                #expect(try await put(["x\u{9F}"]).status == 400)
                #expect(try await server.count("artifact_entries") == (allows ? 5 : 1))
            }
        }
    }

    @Test(arguments: Engine.direct)
    func `a manifest keeps members that look alike`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.draft("p", token: token)
            let manifest: JSON = [
                "name": "p", "version": "1.0.0", "\u{E9}": 1, "e\u{301}": 2, "K": 3, "\u{212A}": 4,
            ]
            let put = try await server.putManifest(manifest, of: id, token: token)
            #expect(put.status == 200, "\(put.text)")
            let path = "/v1/repos/pkgs/packages/versions/\(id)/manifest"
            let kept = try #require(try await server.send("GET", path, token: token).json["manifest"])
            #expect(kept.members?.count == 6)
            #expect(kept["\u{E9}"] == 1 && kept["e\u{301}"] == 2 && kept["K"] == 3 && kept["\u{212A}"] == 4)
        }
    }

    @Test(arguments: Engine.direct)
    func `a subject that looks like another one is another one`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let binding = "/v1/repos/pkgs/bindings"
            for (subject, role) in [("bac%E2%84%AAup", "read"), ("backup", "admin")] {
                let put = try await server.send(
                    "PUT", "\(binding)/\(subject)", token: token, ["roles": [.string(role)]])
                #expect(put.status == 200, "\(put.text)")
            }
            #expect(try await server.count("repo_role_bindings") == 2)
            #expect(
                try await server.send("PUT", "\(binding)/a%E2%81%A6", token: token, ["roles": ["read"]]).status == 400)
        }
    }
}
