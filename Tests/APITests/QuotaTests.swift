// One quota of bytes for every way in: exact, given back, and never exceeded by rivals. Rules: HTTP contract, 7.5 and
// section 9, row 49.

import Cryptography
import Domain
import HTTP
import Persistence
import Synchronization
import TestSupport
import Testing

@testable import artifortress

@Suite struct QuotaTests {
    private static let path = "/v1/admin/tenant-admission-policy"

    @Test(arguments: Engine.direct)
    func `files by path, copies and attestations count like upload sessions`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            try await server.createRepository("releases", token: token)
            #expect(try await server.used(token) == 0)
            #expect(try await server.putFile("pkgs/a", Self.bytes(1, 1000), token: token).status == 201)
            #expect(try await server.used(token) == 1000)
            // The same bytes again, at another path and by a session, count in full.
            #expect(try await server.putFile("pkgs/b", Self.bytes(1, 1000), token: token).status == 201)
            let digest = try await server.commit(Self.bytes(1, 1000), in: "pkgs")
            #expect(try await server.used(token) == 3000)
            // An entry refers to what its session has counted.
            let id = try await server.draft("p", token: token)
            #expect(try await server.putEntry("f", digest, length: 1000, of: id, token: token).status == 200)
            #expect(try await server.putManifest(["name": "p", "version": "1"], of: id, token: token).status == 200)
            #expect(try await server.publish(id, token: token).status == 200)
            #expect(try await server.used(token) == 3000)
            #expect(try await server.promote(id, to: "releases", token: token).status == 201)
            #expect(try await server.used(token) == 4000)
            let document = Self.statement(on: digest, run: 1)
            #expect(try await server.attest(document, id, token: token).status == 201)
            #expect(try await server.used(token) == 4000 + document.count)
            #expect(try await server.attest(document, id, token: token).status == 200)
            #expect(try await server.used(token) == 4000 + document.count)
            // What fails leaves nothing behind.
            #expect(try await server.putFile("pkgs/a", Self.bytes(2, 500), token: token).status == 409)
            let wrong = try await server.putFile(
                "pkgs/c", Self.bytes(2, 500), token: token,
                headers: [("X-Checksum-Sha1", String(repeating: "0", count: 40))])
            #expect(wrong.status == 422)
            #expect(try await server.used(token) == 4000 + document.count)
            #expect(try await server.recount() == 4000 + document.count)
        }
    }

    @Test(arguments: Engine.direct)
    func `every way in is refused at the quota, and leaves no bytes`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            try await server.createRepository("releases", token: token)
            let bytes = Self.bytes(1, 1000)
            let id = try await server.published("p", bytes: bytes, token: token)
            #expect(try await server.putFile("pkgs/a", Self.bytes(3, 500), token: token).status == 201)
            try await server.limit(to: 1999)
            let objects = try await server.objects()
            // Small, with a length; large, with a length; without a length.
            let refused = try await server.putFile("pkgs/b", Self.bytes(4, 500), token: token)
            #expect(refused.status == 429 && refused.error == "too_many_requests", "\(refused.text)")
            #expect(refused.json["limit"] == 1999)
            let body = CountedBody(chunks: 64, of: 4096)
            let large = try await server.putFile(
                "pkgs/b", RequestBody(length: 64 * 4096, source: body), token: token)
            #expect(large.status == 429 && body.given == 0, "refused before its bytes are sent")
            let endless = CountedBody(chunks: 1000, of: 100)
            let cut = try await server.putFile("pkgs/b", RequestBody(length: nil, source: endless), token: token)
            #expect(cut.status == 429 && cut.error == "too_many_requests", "\(cut.text)")
            #expect(endless.given <= 6, "cut as soon as it exceeds the quota")
            #expect(try await server.send("GET", "/generic/pkgs/b", token: token).status == 404)
            let promoted = try await server.promote(id, to: "releases", token: token)
            #expect(promoted.status == 429, "\(promoted.text)")
            #expect(try await server.open(500, token: token).status == 429)
            let document = Self.statement(
                on: SHA256.digest(of: bytes), run: 1, padding: String(repeating: "x", count: 500))
            let attested = try await server.attest(document, id, token: token)
            #expect(attested.status == 429, "\(attested.text)")
            #expect(try await server.used(token) == 1500)
            #expect(try await server.objects() == objects)
            // What fits exactly is taken, and nothing more.
            #expect(
                try await server.putFile(
                    "pkgs/c", RequestBody(length: nil, source: CountedBody(chunks: 1, of: 499)), token: token
                ).status == 201)
            #expect(try await server.putFile("pkgs/d", Self.bytes(5, 1), token: token).status == 429)
            #expect(try await server.used(token) == 1999)
            // Deletions work at the quota, and give the bytes back when the rows are removed.
            #expect(try await server.send("DELETE", "/generic/pkgs/c", token: token).status == 204)
            #expect(try await server.used(token) == 1999)
            try await server.collect()
            #expect(try await server.used(token) == 1500)
        }
    }

    @Test(arguments: Engine.direct)
    func `rivals never exceed the quota together, and none is refused that fits`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            try await server.createRepository("more", token: token)
            try await server.limit(to: 10_050)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        let repo = number.isMultiple(of: 2) ? "pkgs" : "more"
                        let bytes = Self.bytes(UInt8(number % 3), 1000)  // also rivals with one content
                        return try await Self.settled {
                            number.isMultiple(of: 4)
                                ? try await server.open(1000, token: token)
                                : try await server.putFile("\(repo)/f\(number)", bytes, token: token)
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.filter { $0 == 201 }.count == 10, "\(statuses)")
            #expect(statuses.filter { $0 == 429 }.count == 30, "\(statuses)")
            #expect(try await server.used(token) == 10_000)
            #expect(try await server.recount() == 10_000)
        }
    }

    @Test(arguments: Engine.direct)
    func `without a quota rivals do not wait for each other's count`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<12 {
                    group.addTask {
                        let status = try await Self.settled {
                            try await server.putFile("pkgs/f\(number)", Self.bytes(UInt8(number), 100), token: token)
                        }
                        #expect(status == 201)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await server.used(token) == 1200)
            #expect(try await server.count("tenant_usage_slots") <= 8, "as many as there are connections")
        }
    }

    @Test(arguments: Engine.direct, [1, 2, 3] as [UInt64])
    func `the usage is what a recount finds after any walk, and never above the quota`(
        engine: Engine, seed: UInt64
    ) async throws {
        try await Installation.with(engine) { server in
            var random = SplitMix64(seed)
            let token = try await server.withPackages()
            try await server.createRepository("over", settings: ["overwrite": true], token: token)
            try await server.createRepository("releases", token: token)
            try await server.limit(to: 6000)
            var walk = Walk(published: [], sessions: [])
            var refusals = 0
            for step in 0..<70 {
                let before = try await server.recount()
                let length = Int.random(in: 1...900, using: &random)
                let bytes = Self.bytes(UInt8.random(in: 0..<4, using: &random), length)
                let answer = try await Self.step(step, bytes, server, token, &walk, &random)
                let (used, counted) = (try await server.used(token), try await server.recount())
                #expect(used == counted, "step \(step), seed \(seed): \(used) is reported, \(counted) is there")
                #expect(counted <= 6000, "step \(step), seed \(seed)")
                if let answer, answer.status == 429 {
                    refusals += 1
                    #expect(counted == before)
                    if answer.length > 0 { #expect(before + answer.length > 6000, "step \(step), seed \(seed)") }
                }
            }
            #expect(refusals > 0)
            #expect(try await server.count("(SELECT 1 FROM tenant_usage WHERE logical_bytes < 0) t") == 0)
        }
    }

    private struct Walk {
        var published: [String]
        var sessions: [String]
    }

    /// - Returns: the status and the bytes that were to be added, if the step adds some.
    private static func step(
        _ step: Int, _ bytes: [UInt8], _ server: Installation, _ token: String, _ walk: inout Walk,
        _ random: inout SplitMix64
    ) async throws -> (status: Int, length: Int)? {
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<4:
            return (try await server.putFile("pkgs/f\(step)", bytes, token: token).status, bytes.count)
        case 4..<7:
            let name = "over/o\(Int.random(in: 0..<3, using: &random))"
            return (try await server.putFile(name, bytes, token: token).status, bytes.count)
        case 7..<9:
            let body = RequestBody(length: nil, source: CountedBody(chunks: 1, of: bytes.count))
            return (try await server.putFile("pkgs/s\(step)", body, token: token).status, bytes.count)
        case 9..<11:
            let opened = try await server.open(bytes.count, token: token)
            if let id = opened.json["uploadId"]?.text, opened.status == 201 { walk.sessions.append(id) }
            return (opened.status, bytes.count)
        case 11:
            guard let id = walk.sessions.popLast() else { return nil }
            _ = try await server.send("POST", "/v1/repos/pkgs/uploads/\(id)/abort", token: token, [:])
            return nil
        case 12..<14:
            guard try await server.recount() + bytes.count <= 6000 else { return nil }
            walk.published.append(try await server.published("p\(step)", bytes: bytes, token: token))
            return nil
        case 14:
            guard let id = walk.published.randomElement(using: &random) else { return nil }
            return (try await server.promote(id, to: "releases", token: token).status, 0)
        case 15:
            guard let id = walk.published.randomElement(using: &random) else { return nil }
            let digest = try await server.digest(of: id, token: token)
            return (try await server.attest(self.statement(on: digest, run: step), id, token: token).status, 0)
        case 16:
            _ = try await server.send(
                "DELETE", "/generic/over/o\(Int.random(in: 0..<3, using: &random))", token: token)
            return nil
        case 17:
            guard let id = walk.published.popLast() else { return nil }
            _ = try await server.send(
                "POST", "/v1/repos/pkgs/packages/versions/\(id)/tombstone", token: token, ["reason": "r"])
            return nil
        case 18:
            try await server.collect()
            return nil
        default:
            // A repository that is deleted takes its sessions along.
            try await server.createRepository("gone\(step)", token: token)
            _ = try await server.open(bytes.count, in: "gone\(step)", token: token)
            #expect(try await server.send("DELETE", "/v1/repos/gone\(step)", token: token).status == 200)
            return nil
        }
    }

    /// As a client does, again while the server has no free connection in time.
    private static func settled(_ send: () async throws -> Answer) async throws -> Int {
        while true {
            let status = try await send().status
            if status != 503 { return status }
        }
    }

    private static func bytes(_ value: UInt8, _ count: Int) -> [UInt8] { [UInt8](repeating: value, count: count) }

    private static func statement(on digest: BlobDigest, run: Int, padding: String = "") -> [UInt8] {
        JSON.object([
            .init("_type", "https://in-toto.io/Statement/v1"), .init("predicateType", "t"),
            .init("subject", [["digest": ["sha256": .string(digest.hex)]]]), .init("run", JSON(run)),
            .init("padding", .string(padding)),
        ]).bytes
    }
}

/// A body that tells how many of its chunks were read.
private final class CountedBody: BodySource {
    private let left: Mutex<Int>
    private let chunks: Int
    private let size: Int

    var given: Int { self.chunks - self.left.withLock { $0 } }

    init(chunks: Int, of size: Int) {
        self.left = Mutex(chunks)
        self.chunks = chunks
        self.size = size
    }

    func nextChunk() async throws -> [UInt8]? {
        let isOver = self.left.withLock { left in
            if left == 0 { return true }
            left -= 1
            return false
        }
        return isOver ? nil : [UInt8](repeating: 7, count: self.size)
    }
}

extension Installation {
    fileprivate func putFile(
        _ path: String, _ bytes: [UInt8], token: String, headers: [(String, String)] = []
    ) async throws -> Answer {
        try await self.send(
            "PUT", "/generic/\(path)", headers: headers + [("Authorization", "Bearer \(token)")], body: bytes)
    }

    fileprivate func putFile(_ path: String, _ body: RequestBody, token: String) async throws -> Answer {
        try await self.send(
            "PUT", "/generic/\(path)", headers: ["Host": "artifacts.example", "Authorization": "Bearer \(token)"],
            body: body)
    }

    fileprivate func open(_ length: Int, in repo: String = "pkgs", token: String) async throws -> Answer {
        try await self.send(
            "POST", "/v1/repos/\(repo)/uploads", token: token,
            [
                "expectedDigest": .string(SHA256.digest(of: UniqueID.random().hex).hex),
                "expectedLength": JSON(length),
            ])
    }

    fileprivate func attest(_ document: [UInt8], _ version: String, token: String) async throws -> Answer {
        try await self.send(
            "PUT", "/v1/repos/pkgs/packages/versions/\(version)/attestations",
            headers: [("Authorization", "Bearer \(token)")], body: document)
    }

    fileprivate func digest(of version: String, token: String) async throws -> BlobDigest {
        let view = try await self.send("GET", "/v1/repos/pkgs/packages/versions/\(version)", token: token)
        return try BlobDigest(parsing: view.json["entries"]?.elements?.first?["blobDigest"]?.text ?? "")
    }

    /// Sets a quota that is smaller than what the API allows.
    fileprivate func limit(to bytes: Int) async throws {
        let tenant = self.deployment.defaultTenant
        try await self.database.transaction { transaction in
            _ = try transaction.execute(
                """
                INSERT INTO tenant_admission_policies (tenant_id, max_logical_storage_bytes,
                    max_concurrent_upload_sessions, max_pending_search_jobs, updated_by_subject)
                VALUES (\(tenant), \(bytes), 1000, 50000, 'tester')
                """)
        }
    }

    /// As the API reports it.
    fileprivate func used(_ token: String) async throws -> Int {
        let answer = try await self.send("GET", "/v1/admin/tenant-admission-policy", token: token)
        return Int(try #require(answer.json["usage"]?["logicalStorageBytes"]?.integer, "\(answer.text)"))
    }

    /// Counted anew from the rows themselves.
    fileprivate func recount() async throws -> Int {
        try await self.database.read { transaction in
            try transaction.first(
                """
                SELECT CAST(COALESCE((SELECT SUM(expected_length) FROM upload_sessions
                        WHERE state IN ('initiated', 'parts_uploading', 'pending_commit')
                            OR (state = 'committed' AND committed_blob_digest IS NOT NULL)), 0)
                    + COALESCE((SELECT SUM(size_bytes) FROM artifact_entries WHERE is_charged), 0)
                    + COALESCE((SELECT SUM(length_bytes) FROM manifests m JOIN blobs b ON b.digest = m.blob_digest
                        WHERE m.is_charged), 0)
                    + COALESCE((SELECT SUM(length_bytes) FROM attestations a
                        JOIN blobs b ON b.digest = a.blob_digest), 0) AS bigint)
                """, as: { try $0[0] as Int }) ?? -1
        }
    }

    /// Removes tombstoned versions, as a collection does when their retention is over.
    fileprivate func collect() async throws {
        try await self.database.transaction { transaction in
            _ = try transaction.execute("DELETE FROM package_versions WHERE state = 'tombstoned'")
        }
    }

    /// Objects in the store.
    fileprivate func objects() async throws -> Int { try await self.serving.storage.keys().count }
}
