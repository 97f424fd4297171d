// Bytes by their digest: who sees what, ranges and conditions, and what is never sent. Rules: HTTP contract, 3.4 and
// section 9, rows 17, 23 and 39; architecture, I1 and section 5.

import Cryptography
import Domain
import Foundation
import Persistence
import Registry
import Storage
import TestSupport
import Testing
import Threads

@Suite struct BlobTests {
    private static let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    private static let digest = SHA256.digest(of: bytes).hex
    private static let path = "/v1/repos/files/blobs/\(digest)"

    @Test(arguments: Ground.all)
    func `ranges and conditions follow the contract`(ground: Ground) async throws {
        try await ground.withScene { scene in
            try await scene.upload(Self.bytes)
            let tag = "\"\(Self.digest)\""
            let cases: [(headers: [(String, String)], status: Int, body: [UInt8]?, range: String?)] = [
                ([], 200, Self.bytes, nil), ([("Range", " ")], 200, Self.bytes, nil),
                ([("Range", "bytes=0-9")], 206, Array(Self.bytes[0..<10]), "bytes 0-9/1000"),
                ([("Range", "bytes=990-")], 206, Array(Self.bytes[990...]), "bytes 990-999/1000"),
                ([("Range", "bytes=-7")], 206, Array(Self.bytes[993...]), "bytes 993-999/1000"),
                ([("Range", "bytes=5-99999")], 206, Array(Self.bytes[5...]), "bytes 5-999/1000"),
                ([("Range", "bytes=0-1,5-6")], 200, Self.bytes, nil), ([("Range", "bytes=1000-")], 416, nil, nil),
                ([("Range", "bytes=9-3")], 400, nil, nil), ([("Range", "lines=1-2")], 200, Self.bytes, nil),
                ([("Range", "x")], 200, Self.bytes, nil), ([("Range", "bytes")], 400, nil, nil),
                ([("Range", "bytes=x-2")], 400, nil, nil),
                ([("If-None-Match", tag)], 304, [], nil), ([("If-None-Match", "\"x\"")], 200, Self.bytes, nil),
                ([("Range", "bytes=0-0"), ("If-Range", tag)], 206, [Self.bytes[0]], "bytes 0-0/1000"),
                ([("Range", "bytes=0-0"), ("If-Range", "\"x\"")], 200, Self.bytes, nil),
            ]
            for test in cases {
                let answer = await scene.send("GET", Self.path, test.headers)
                #expect(answer.status == test.status, "\(test.headers): \(answer.status)")
                if let body = test.body { #expect(answer.body == body, "\(test.headers)") }
                #expect(answer[header: "content-range"] == test.range || test.status == 416, "\(test.headers)")
                if test.status == 416 { #expect(answer["error"] == "invalid_range") }
                guard [200, 206].contains(test.status) else { continue }
                #expect(answer[header: "etag"] == tag && answer[header: "accept-ranges"] == "bytes")
                #expect(answer[header: "content-type"] == "application/octet-stream")
            }
            // A malformed range is told before the caller is looked at; a malformed digest too.
            #expect(await scene.send("GET", Self.path, [("Range", "bytes=x")], token: "garbage").status == 400)
            #expect(await scene.send("GET", "/v1/repos/files/blobs/xyz", token: "garbage").status == 400)
        }
    }

    @Test(arguments: Ground.all)
    func `times are conditions too, and HEAD tells what GET would`(ground: Ground) async throws {
        try await ground.withScene { scene in
            try await scene.upload(Self.bytes)
            let whole = await scene.send("GET", Self.path)
            let time = try #require(whole[header: "last-modified"])
            let earlier = "Sat, 01 Jan 2000 00:00:00 GMT"
            let cases: [(headers: [(String, String)], status: Int, length: Int)] = [
                ([("If-Modified-Since", time)], 304, 0), ([("If-Modified-Since", earlier)], 200, 1000),
                ([("If-Modified-Since", time), ("If-None-Match", "\"x\"")], 200, 1000),
                ([("Range", "bytes=-3"), ("If-Range", time)], 206, 3),
                ([("Range", "bytes=-3"), ("If-Range", earlier)], 200, 1000),
                ([("If-None-Match", "*")], 304, 0), ([("If-None-Match", "W/\"\(Self.digest)\"")], 304, 0),
                ([("If-None-Match", "\"x\", \"\(Self.digest)\"")], 304, 0),
                ([("If-Match", "\"x\"")], 412, 0), ([("Range", "bytes=-0")], 416, 0),
                ([("Range", "bytes=-5000")], 206, 1000),
            ]
            for test in cases {
                let answer = await scene.send("GET", Self.path, test.headers)
                #expect(answer.status == test.status, "\(test.headers): \(answer.status)")
                if test.status < 300 { #expect(answer.body.count == test.length, "\(test.headers)") }
                // HEAD: as GET without a range, and a length that is announced only.
                let isRange = [206, 416].contains(test.status)
                let head = await scene.send("HEAD", Self.path, test.headers)
                #expect(head.status == (isRange ? 200 : test.status), "HEAD \(test.headers): \(head.status)")
                if isRange { #expect(head.announced == 1000 && head[header: "content-range"] == nil) }
                guard test.status < 400, !isRange else { continue }
                for name in ["etag", "accept-ranges", "content-range", "last-modified", "content-type"] {
                    #expect(head[header: name] == answer[header: name], "\(name) of \(test.headers)")
                }
                if test.status < 300 { #expect(head.announced == test.length) }
                #expect(head.body == [])
            }
            #expect(await scene.send("HEAD", Self.path, [("X-No", "token")], token: "garbage").status == 401)
        }
    }

    @Test(arguments: Ground.all)
    func `a repository may have its downloads from the store itself`(ground: Ground) async throws {
        try await ground.withScene { scene in
            try await scene.createRepository("direct", settings: ["download": "redirect"])
            try await scene.upload(Self.bytes, in: "direct")
            let path = "/v1/repos/direct/blobs/\(Self.digest)"
            let answer = await scene.send("GET", path)
            guard ground.storage.description == "s3" else {  // a directory serves nobody itself
                #expect(answer.status == 200 && answer.body == Self.bytes)
                return
            }
            #expect(answer.status == 307 && answer[header: "cache-control"] == "no-store")
            let url = try #require(answer[header: "location"])
            #expect(url.contains("X-Amz-Expires=60"))
            #expect(try await HTTPGet.fetch(url) == Self.bytes)
            #expect(try await HTTPGet.fetch(url, range: "990-") == Array(Self.bytes[990...]))
            // Who may not read gets no address; who has the bytes isn't sent away; HEAD is answered here.
            #expect(await scene.send("GET", path, token: try await scene.issue(["repo:files:read"])).status == 403)
            #expect(await scene.send("GET", path, [("If-None-Match", "\"\(Self.digest)\"")]).status == 304)
            #expect(await scene.send("HEAD", path).announced == 1000)
        }
    }

    @Test(arguments: Ground.all)
    func `a digest is known only where it was committed or published`(ground: Ground) async throws {
        try await ground.withScene { scene in
            try await scene.createRepository("others")
            try await scene.createRepository("open", settings: ["anonymousRead": true])
            try await scene.upload(Self.bytes)
            let readsOthers = try await scene.issue(["repo:others:read"])
            let stranger = try await scene.issue(["repo:*:admin"], tenant: try await scene.otherTenant())
            let others = "/v1/repos/others/blobs/\(Self.digest)"
            #expect(await scene.send("GET", others).status == 404)
            #expect(await scene.send("GET", Self.path, token: readsOthers).status == 403)
            #expect(await scene.send("GET", Self.path, token: stranger).status == 404)
            #expect(await scene.send("GET", Self.path, [("X-No", "token")], token: "unknown").status == 401)
            #expect(await scene.send("GET", "/v1/repos/nowhere/blobs/\(Self.digest)").status == 404)
            #expect(await scene.send("GET", "/v1/repos/files/blobs/\(SHA256.digest(of: "x").hex)").status == 404)

            try await scene.upload(Self.bytes, in: "others")
            #expect(await scene.send("GET", others, token: readsOthers).body == Self.bytes)
            // What the public may read is read without a token; what it may not stays so.
            let open = "/v1/repos/open/blobs/\(Self.digest)"
            #expect(await scene.send("GET", open, token: "").status == 404)
            try await scene.upload(Self.bytes, in: "open")
            #expect(await scene.send("GET", open, token: "").body == Self.bytes)
            #expect(await scene.send("GET", Self.path, token: "").status == 401)
        }
    }

    @Test(arguments: Ground.all)
    func `a version shows its blobs while its state lets it`(ground: Ground) async throws {
        try await ground.withScene { scene in
            try await scene.createRepository("source")
            try await scene.upload(Self.bytes, in: "source")
            let cases: [(state: String, quarantine: String?, status: Int)] = [
                ("draft", nil, 404), ("published", nil, 200), ("published", "quarantined", 423),
                ("published", "rejected", 423), ("published", "released", 200), ("tombstoned", nil, 200),
            ]
            for (index, test) in cases.enumerated() {
                for inManifest in [false, true] {
                    let repo = "r\(index)\(inManifest ? "m" : "e")"
                    try await scene.createRepository(repo)
                    try await scene.version(
                        in: repo, test.state, quarantine: test.quarantine, digest: Self.digest,
                        length: Self.bytes.count, inManifest: inManifest)
                    let answer = await scene.send("GET", "/v1/repos/\(repo)/blobs/\(Self.digest)")
                    #expect(answer.status == test.status, "\(test) \(inManifest): \(answer.status)")
                    if test.status == 423 { #expect(answer["error"] == "quarantined_blob") }
                }
            }
            // The same digest in another repository is unaffected.
            #expect(await scene.send("GET", "/v1/repos/source/blobs/\(Self.digest)").status == 200)
        }
    }

    @Test(arguments: Ground.all)
    func `bytes that are gone or short are never a complete answer`(ground: Ground) async throws {
        try await ground.withScene { scene in
            try await scene.upload(Self.bytes)
            let key = try #require(try await scene.storage.keys().first)
            try await scene.database.transaction { transaction in
                _ = try transaction.execute("UPDATE blobs SET blocked_at = \(scene.clock.now())")
            }
            let blocked = await scene.send("GET", Self.path)
            #expect(blocked.status == 404 && blocked["error"] == "object_not_found")
            try await scene.database.transaction { _ = try $0.execute("UPDATE blobs SET blocked_at = NULL") }
            #expect(await scene.send("GET", Self.path).status == 200)

            try await scene.storage.delete(key)
            let missing = await scene.send("GET", Self.path)
            #expect(missing["error"] == "object_not_found")
            try await scene.storage.put(Array(Self.bytes.dropLast()), key)
            let short = await scene.send("GET", Self.path)
            #expect(short.status != 200 || short.failure != nil, "\(short.status)")
            #expect(await scene.send("GET", Self.path, [("Range", "bytes=0-9")]).status != 206)
        }
    }

    @Test(arguments: Ground.all)
    func `bytes that the caller may read now aren't sent again`(ground: Ground) async throws {
        try await ground.withScene { scene in
            for repo in ["others", "hidden"] { try await scene.createRepository(repo) }
            try await scene.upload(Self.bytes, in: "hidden")
            let writer = try await scene.issue(["repo:files:write", "repo:others:read"])
            let length = Self.bytes.count
            // Known, but not to this caller: an ordinary session, no oracle.
            let unseen = await scene.open(Self.digest, length, token: writer)
            #expect(unseen.status == 201 && unseen["deduped"] == false)
            // Known, but of another length: an ordinary session too, for whoever asks.
            #expect(await scene.open(Self.digest, length + 1).status == 201)
            let stranger = try await scene.issue(["repo:*:admin"], tenant: try await scene.otherTenant())
            try await scene.createRepository("files", token: stranger)
            #expect(await scene.open(Self.digest, length, token: stranger).status == 201)

            try await scene.upload(Self.bytes, in: "others")
            let seen = await scene.open(Self.digest, length, token: writer)
            #expect(seen.status == 200 && seen["deduped"] == true && seen["state"] == "committed")
            #expect(
                seen.keys == [
                    "uploadId", "repoKey", "expectedDigest", "expectedLength", "state", "deduped", "expiresAtUtc",
                ])
            #expect(seen[header: "location"] == nil)
            let session = "/v1/repos/files/uploads/\(try #require(seen["uploadId"]?.text))"
            #expect(await scene.post("\(session)/commit")["digest"]?.text == Self.digest)
            let row = try #require(try await scene.audit(of: session).first)
            #expect(row.details["state"] == "committed" && row.details["deduped"] == "true")
            #expect(await scene.send("GET", Self.path, token: writer).body == Self.bytes)

            // Not where it is blocked: the quarantine of one repository doesn't end in another.
            let other = Self.bytes + [1]
            let digest = SHA256.digest(of: other).hex
            try await scene.upload(other, in: "hidden")
            try await scene.version(
                in: "hidden", "published", quarantine: "quarantined", digest: digest, length: other.count)
            #expect(await scene.open(digest, other.count).status == 201)
        }
    }

    @Test(arguments: Ground.all)
    func `of two commits of one digest one object stays`(ground: Ground) async throws {
        try await ground.withScene { scene in
            try await scene.createRepository("others")
            let writer = try await scene.issue(["repo:files:write"])
            let other = try await scene.issue(["repo:others:write"])
            let first = try await scene.session(Self.bytes, token: writer)
            let second = try await scene.session(Self.bytes, in: "others", token: other)
            for (session, token) in [(first, writer), (second, other)] {
                let tag = try await scene.put(Self.bytes, to: session, token: token)
                #expect(await scene.complete(session, [tag], token: token).status == 200)
            }
            async let one = scene.post("\(first)/commit", token: writer)
            async let two = scene.post("\(second)/commit", token: other)
            #expect(await one.status == 200)
            #expect(await two.status == 200)
            try await scene.sweep()
            #expect(try await scene.storage.keys().count == 1)
            #expect(try await scene.orphans() == [])
            for repo in ["files", "others"] {
                #expect(await scene.send("GET", "/v1/repos/\(repo)/blobs/\(Self.digest)").body == Self.bytes)
            }
        }
    }
}

extension UploadScene {
    /// A version that has the digest, in a state, without going through a publish.
    func version(
        in repo: String, _ state: String, quarantine: String?, digest: String, length: Int, inManifest: Bool = false
    ) async throws {
        let (version, package, now) = (UniqueID.random(), UniqueID.random(), self.clock.now())
        try await self.database.transaction { [tenant] transaction in
            let repo = try RepositoryStore.require(RepoKey(parsing: repo), of: tenant, transaction).id
            try transaction.execute(
                "INSERT INTO packages (package_id, tenant_id, repo_id) VALUES (\(package), \(tenant), \(repo))")
            try transaction.execute(
                """
                INSERT INTO package_versions
                    (version_id, tenant_id, repo_id, package_id, version, state, created_by_subject)
                VALUES (\(version), \(tenant), \(repo), \(package), '1', 'draft', 's')
                """)
            if inManifest {
                try transaction.execute(
                    "INSERT INTO manifests (version_id, manifest, blob_digest) VALUES (\(version), '{}', \(digest))")
            } else {
                try transaction.execute(
                    """
                    INSERT INTO artifact_entries (version_id, relative_path, blob_digest, size_bytes)
                    VALUES (\(version), 'p', \(digest), \(length))
                    """)
            }
            if state != "draft" {
                try transaction.execute(
                    "UPDATE package_versions SET state = 'published', published_at = \(now) WHERE version_id = \(version)"
                )
            }
            if state == "tombstoned" {
                try transaction.execute(
                    """
                    UPDATE package_versions SET state = 'tombstoned', tombstoned_at = \(now)
                    WHERE version_id = \(version)
                    """)
            }
            if let quarantine {
                try transaction.execute(
                    "INSERT INTO quarantine_items (version_id, status) VALUES (\(version), \(quarantine))")
            }
        }
    }
}
