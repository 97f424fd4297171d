// Drafts, entries, manifests, publish, tombstone: each answer of the contract. Source: HTTP contract, 3.5, 4.1, 6.1 and
// 8.3; section 9, rows 5, 13, 14, 20 and 27.

import Domain
import HTTP
import Persistence
import Registry
import TestSupport
import Testing

@testable import artifortress

@Suite struct VersionRouteTests {
    private static let extra: JSON = [1, .number("2.5"), nil]
    private static let drafts = "/v1/repos/pkgs/packages/versions/drafts"

    @Test(arguments: Engine.direct)
    func `a draft is made once and then taken up again`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            // As the scripts spell it: names in any case, text with blanks around it.
            let body: JSON = [
                "PackageType": " NuGet ", "packagenamespace": " ", "PackageName": " Acme.Lib ",
                "Version": " 1.0.0-RC1 ",
            ]
            let made = try await server.send("POST", Self.drafts, token: token, body)
            #expect(made.status == 201 && made.headers["location"] == "/v1/repos/pkgs/packages/versions/1.0.0-RC1")
            #expect(made.json["packageType"] == "nuget" && made.json["packageName"] == "acme.lib")
            #expect(made.json["packageNamespace"] == .null && made.json["version"] == "1.0.0-RC1")
            #expect(made.json["state"] == "draft" && made.json["reusedDraft"] == false)
            #expect(made.json["createdAtUtc"]?.text?.hasSuffix("Z") == true)
            let reused = try await server.send("POST", Self.drafts, token: token, body)
            #expect(reused.status == 200 && reused.json["reusedDraft"] == true)
            #expect(reused.json["versionId"] == made.json["versionId"])
            let actions = try await server.audit(token, "resourceType=package_version").map { $0["action"]?.text }
            #expect(actions == ["package.version.draft.reused", "package.version.draft.created"])
        }
    }

    @Test(arguments: Engine.direct)
    func `what is wrong with a draft is said`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let good: KeyValuePairs<String, JSON> = ["packageType": "npm", "packageName": "p", "version": "1"]
            for missing in good.map(\.key) {
                let body = JSON.object(good.filter { $0.key != missing }.map { .init($0.key, $0.value) })
                let answer = try await server.send("POST", Self.drafts, token: token, body)
                #expect(answer.status == 400 && answer.text.contains(missing))
            }
            let control = JSON.object(
                good.map { JSON.Member($0.key, $0.key == "version" ? "1\u{0}2" : $0.value) })
            #expect(try await server.send("POST", Self.drafts, token: token, control).status == 400)
            let body = JSON.object(good.map { .init($0.key, $0.value) })
            let path = "/v1/repos/none/packages/versions/drafts"
            #expect(try await server.send("POST", path, token: token, body).status == 404)
            let reader = try await server.token(["repo:pkgs:promote", "repo:pkgs:read"], subject: "reader")
            #expect(try await server.send("POST", Self.drafts, token: reader, body).status == 403)
        }
    }

    @Test(arguments: Engine.direct)
    func `entries are taken all or none`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let (bytes, other) = (Array("one".utf8), Array("another".utf8))
            let (one, two) = (try await server.commit(bytes, in: "pkgs"), try await server.commit(other, in: "pkgs"))
            let id = try await server.draft("p", token: token)
            func put(_ entries: JSON...) async throws -> Answer {
                try await server.send(
                    "POST", "/v1/repos/pkgs/packages/versions/\(id)/entries", token: token,
                    ["entries": .array(entries)])
            }
            func entry(_ path: String, _ digest: BlobDigest, _ size: Int, _ further: JSON.Member...) -> JSON {
                .object(
                    [
                        .init("relativePath", .string(path)), .init("blobDigest", .string(digest.hex.uppercased())),
                        .init("sizeBytes", JSON(size)),
                    ] + further)
            }
            let unknown = BlobDigest(bytes: [UInt8](repeating: 7, count: 32))
            let cases: [(entries: [JSON], status: Int, fragment: String)] = [
                ([], 400, "entries"),
                ([entry("a", one, 3), entry("A", two, 7)], 400, "Duplicate relativePath"),
                ([entry("a", one, 3), entry("b", unknown, 7)], 409, "does not exist"),
                ([entry("a", one, 0)], 400, "sizeBytes"), ([entry("../a", one, 3)], 400, "relative path"),
                ([entry("a", one, 4)], 409, "entry_mismatch"),
                ([entry("a", one, 3, .init("checksumSha256", .string(two.hex)))], 409, "entry_mismatch"),
                ([entry("a", one, 3, .init("checksumSha1", "abc"))], 400, "checksumSha1"),
                ([entry("a", one, 3, .init("checksumSha256", "abc"))], 400, "digest"),
            ]
            for test in cases {
                let answer = try await server.send(
                    "POST", "/v1/repos/pkgs/packages/versions/\(id)/entries", token: token,
                    ["entries": .array(test.entries)])
                #expect(answer.status == test.status && answer.text.contains(test.fragment), "\(answer.text)")
            }
            #expect(try await server.count("artifact_entries") == 0)
            let mismatch = try await put(entry("a", one, 4))
            #expect(mismatch.json["expected"] == 4 && mismatch.json["actual"] == 3)

            let sha1 = String(repeating: "A", count: 40)
            let put = try await put(
                entry(
                    " lib/a ", one, 3, .init("checksumSha1", .string(sha1)), .init("checksumSha256", .string(one.hex))),
                entry("b", one, 3, .init("checksumSha1", " ")))
            #expect(put.status == 200 && put.json["entryCount"] == 2 && put.json["state"] == "draft", "\(put.text)")
            let replaced = try await server.putEntry("b", two, length: 7, of: id, token: token)
            #expect(replaced.status == 200 && replaced.json["entryCount"] == 1)
            #expect(try await server.count("artifact_entries") == 2)
            let details = try await server.audit(token, "action=package.version.entries.upserted").first?["details"]
            #expect(details?.texts == ["repoKey": "pkgs", "entryCount": "1", "state": "draft"])
        }
    }

    @Test(arguments: Engine.direct)
    func `a blob must be committed in this very repository`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            try await server.createRepository("other", token: token)
            let digest = try await server.commit(Array("x".utf8), in: "other")
            let id = try await server.draft("p", token: token)
            let entry = try await server.putEntry("a", digest, length: 1, of: id, token: token)
            #expect(entry.status == 409 && entry.error == "conflict" && entry.text.contains("not committed"))
            let manifest = try await server.send(
                "PUT", "/v1/repos/pkgs/packages/versions/\(id)/manifest", token: token,
                ["manifest": ["name": "p", "version": "1"], "manifestBlobDigest": .string(digest.hex)])
            #expect(manifest.status == 409)
        }
    }

    @Test(arguments: Engine.direct)
    func `a manifest is kept, shown, and checked by its type`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let rules: [(type: String, required: [String])] = [
                ("nuget", ["id", "version"]), ("npm", ["name", "version"]),
                ("maven", ["groupId", "artifactId", "version"]), ("pypi", []), ("raw", []),
            ]
            for (type, required) in rules {
                let id = try await server.draft("p-\(type)", type: type, token: token)
                for (index, name) in required.enumerated() {
                    let manifest = JSON.object(
                        required.enumerated().map { .init($1, $0 < index ? "x" : $0 == index ? " " : 5) })
                    let answer = try await server.putManifest(manifest, of: id, token: token)
                    #expect(
                        answer.status == 400 && answer.text.contains("manifest.\(name) is required"), "\(answer.text)")
                }
                let manifest = JSON.object(required.map { .init($0, "x") } + [.init("extra", Self.extra)])
                let answer = try await server.putManifest(manifest, of: id, token: token)
                #expect(answer.status == 200 && answer.json["packageType"] == .string(type), "\(answer.text)")
                #expect(answer.json["manifestBlobDigest"] == .null)
                let shown = try await server.send(
                    "GET", "/v1/repos/pkgs/packages/versions/\(id)/manifest", token: token)
                #expect(shown.status == 200 && shown.json["manifest"]?["extra"] == Self.extra)
            }
            let id = try await server.draft("empty", token: token)
            let path = "/v1/repos/pkgs/packages/versions/\(id)/manifest"
            #expect(try await server.send("GET", path, token: token).status == 404)
            for bad: JSON in [
                [:], ["manifest": []], ["manifest": nil], ["manifest": ["name": "\u{0}", "version": "1"]],
            ] {
                #expect(try await server.send("PUT", path, token: token, bad).status == 400)
            }
            let none = "/v1/repos/pkgs/packages/versions/\(UniqueID.random())/manifest"
            #expect(try await server.send("PUT", none, token: token, []).status == 404, "before the body is looked at")
            #expect(
                try await server.send("PUT", "/v1/repos/pkgs/packages/versions/x/manifest", token: nil, []).status
                    == 400)
        }
    }

    @Test(arguments: Engine.direct)
    func `publish asks for entries and a manifest, happens once, and is told once`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let digest = try await server.commit(Array("x".utf8), in: "pkgs")
            let id = try await server.draft("p", namespace: "acme", token: token)
            let empty = try await server.publish(id, token: token)
            #expect(empty.status == 409 && empty.text.contains("without an entry"))
            _ = try await server.putEntry("a", digest, length: 1, of: id, token: token)
            let bare = try await server.publish(id, token: token)
            #expect(bare.status == 409 && bare.text.contains("without a manifest"))
            _ = try await server.putManifest(["name": "p", "version": "1"], of: id, token: token)
            #expect(try await server.counts == [0, 0])

            let first = try await server.publish(id, token: token)
            #expect(first.status == 200 && first.json["state"] == "published" && first.json["idempotent"] == false)
            #expect(first.json["eventEmitted"] == true && first.json["packageNamespace"] == "acme")
            let again = try await server.publish(id, token: token)
            #expect(again.status == 200 && again.json["idempotent"] == true && again.json["eventEmitted"] == false)
            #expect(again.json["outboxEventId"] == nil && again.json["publishedAtUtc"] == first.json["publishedAtUtc"])

            let event = try await server.database.lookup { transaction in
                try transaction.first(
                    "SELECT event_id, aggregate_type, aggregate_id, event_type, payload FROM outbox_events"
                ) { row in
                    (
                        try row[0] as UniqueID, try row[1] as String, try row[2] as String, try row[3] as String,
                        try row[4] as JSON
                    )
                }
            }
            let (eventID, type, aggregate, kind, payload) = try #require(event)
            #expect(first.json["outboxEventId"]?.text == eventID.description && aggregate == id)
            #expect(type == "package_version" && kind == "version.published")
            #expect(payload["versionId"]?.text == id && payload["publishedAtUtc"] == first.json["publishedAtUtc"])
            #expect(payload["packageNamespace"] == "acme" && payload["repoKey"] == "pkgs")
            #expect(try await server.counts == [1, 1])
            let audit = try await server.audit(token, "action=package.version.published")
            #expect(audit.count == 1 && audit[0]["resourceId"]?.text == id)
            #expect(
                audit[0]["details"]?.texts
                    == [
                        "repoKey": "pkgs", "packageType": "npm", "packageName": "p", "version": "1.0.0",
                        "state": "published",
                    ])
        }
    }

    @Test(arguments: Engine.direct)
    func `a published version refuses whatever would change it`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.published("p", token: token)
            let digest = try await server.commit(Array("content".utf8), in: "pkgs")
            let entry = try await server.putEntry("new", digest, length: 7, of: id, token: token)
            #expect(entry.status == 409 && entry.text.contains("cannot be modified"))
            let manifest = try await server.putManifest(["name": "q", "version": "2"], of: id, token: token)
            #expect(manifest.status == 409 && manifest.text.contains("cannot be modified"))
            let draft = try await server.send(
                "POST", Self.drafts, token: token,
                ["packageType": "npm", "packageName": "p", "version": "1.0.0"])
            #expect(draft.status == 409 && draft.text.contains("cannot be reused as a draft"))
        }
    }

    @Test(arguments: Engine.direct)
    func `a tombstone needs a reason, has a term, and is put once`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.published("p", token: token)
            let path = "/v1/repos/pkgs/packages/versions/\(id)/tombstone"
            #expect(try await server.send("POST", path, token: token, ["reason": " "]).status == 400)
            #expect(
                try await server.send("POST", path, token: token, ["reason": "x", "retentionDays": 3651]).status == 400)
            let put = try await server.send("POST", path, token: token, ["reason": "old", "retentionDays": 7])
            #expect(put.status == 200 && put.json["state"] == "tombstoned" && put.json["idempotent"] == false)
            let (start, end) = (
                try #require(put.json["tombstonedAtUtc"]?.text.flatMap { Timestamp(rfc3339: $0) }),
                try #require(put.json["retentionUntilUtc"]?.text.flatMap { Timestamp(rfc3339: $0) })
            )
            #expect(Timestamp.seconds(from: start, to: end) == 7 * 86400)
            let again = try await server.send("POST", path, token: token, ["reason": "other", "retentionDays": 9])
            #expect(again.json["idempotent"] == true && again.json["tombstonedAtUtc"] == nil)
            #expect(again.json["retentionUntilUtc"] == put.json["retentionUntilUtc"])
            let audit = try await server.audit(token, "action=package.version.tombstoned")
            #expect(audit.count == 1 && audit[0]["details"]?["retentionDays"] == "7")
            #expect(try await server.count("outbox_events") == 1, "no outbox event")
            #expect(try await server.publish(id, token: token).status == 409)

            let draft = try await server.draft("q", token: token)
            let draftPath = "/v1/repos/pkgs/packages/versions/\(draft)/tombstone"
            let ended = try await server.send("POST", draftPath, token: token, ["reason": "mistake"])
            #expect(ended.status == 200)
            let none = "/v1/repos/pkgs/packages/versions/\(UniqueID.random())/tombstone"
            #expect(try await server.send("POST", none, token: token, ["reason": "x"]).status == 404)
        }
    }

    @Test(arguments: Engine.direct)
    func `a protected version can't be tombstoned`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.published("p", token: token)
            let version = try #require(UniqueID(id))
            try await server.execute(
                "INSERT INTO artifact_protections (version_id, mode) VALUES (\(version), 'legal_hold')")
            let path = "/v1/repos/pkgs/packages/versions/\(id)/tombstone"
            let answer = try await server.send("POST", path, token: token, ["reason": "x"])
            #expect(answer.status == 423 && answer.error == "artifact_protected" && answer.json["mode"] == "legal_hold")
        }
    }

    @Test(arguments: Engine.direct)
    func `a retired coordinate takes neither draft nor publish`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.completeDraft("p", token: token)
            for name in ["p", "q"] { try await server.retire(name, "1.0.0") }
            let publish = try await server.publish(id, token: token)
            #expect(publish.status == 409 && publish.error == "coordinate_retired")
            let draft = try await server.send(
                "POST", Self.drafts, token: token, ["packageType": "npm", "packageName": "Q", "version": "1.0.0"])
            #expect(draft.status == 409 && draft.error == "coordinate_retired")
        }
    }

    @Test(arguments: Engine.direct)
    func `another tenant's version is as one that isn't there`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.completeDraft("p", token: token)
            let tenant = TenantID(.random())
            try await server.execute("INSERT INTO tenants (tenant_id, slug, name) VALUES (\(tenant), 'other', 'Other')")
            try await server.execute(
                """
                UPDATE repos SET tenant_id = \(tenant) WHERE repo_key = 'pkgs'
                """)
            try await server.createRepository("pkgs", token: token)
            #expect(try await server.publish(id, token: token).status == 404)
            #expect(try await server.putManifest([:], of: id, token: token).status == 404)
        }
    }

    @Test(arguments: Engine.direct)
    func `a publish under an idempotency key is answered again from memory`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.completeDraft("p", token: token)
            let path = "/v1/repos/pkgs/packages/versions/\(id)/publish"
            let first = try await server.send("POST", path, token: token, key: "k", nil)
            let second = try await server.send("POST", path, token: token, key: "k", nil)
            #expect(first.status == 200 && second.body == first.body && first.json["idempotent"] == false)
        }
    }
}

extension Installation {
    /// Events for subscribers, and for the worker.
    fileprivate var counts: [Int] {
        get async throws { [try await self.count("events"), try await self.count("outbox_events")] }
    }
}
