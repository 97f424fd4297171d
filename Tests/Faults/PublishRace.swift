// A race for the publication of some drafts in three repositories, over the wire of a real server.

import Cryptography
import Domain
import Foundation
import TestSupport
import Testing

struct PublishRace: Sendable {
    /// The server died amid an answer, or couldn't give one.
    private struct CutOff: Error {}

    struct Draft: Sendable {
        let id: String
        let repo: String
        let name: String
    }

    static let repositories = ["one", "two", "three"]
    private static let draftsPerRepository = 12
    private static let entries = ["a", "b", "c"]
    private static let requestsPerClient = 6
    /// The server dies once so many versions are acknowledged.
    static let killAfter = 10

    let server: ServerProcess
    let token: String
    let drafts: [Draft]
    let record = RaceRecord()
    private let seed: UInt64

    /// - Parameter seed: of who asks for what.
    init(_ server: ServerProcess, seed: UInt64) async throws {
        self.server = server
        self.seed = seed
        let token = try await server.token()
        self.token = token
        var drafts: [Draft] = []
        for repo in Self.repositories {
            try await server.createRepository(repo, token: token)
            let digest = try await Self.commit(Array("content of \(repo)".utf8), in: repo, server, token)
            for number in 0..<Self.draftsPerRepository {
                drafts.append(try await Self.draft("p\(number)", in: repo, of: digest, server, token))
            }
        }
        self.drafts = drafts
    }

    // MARK: - Before

    private static func commit(
        _ bytes: [UInt8], in repo: String, _ server: ServerProcess, _ token: String
    ) async throws -> (hex: String, length: Int) {
        let digest = SHA256.digest(of: bytes).hex
        let uploads = "/v1/repos/\(repo)/uploads"
        let session = try await server.post(
            uploads, ["expectedDigest": .string(digest), "expectedLength": JSON(bytes.count)], token: token)
        let id = try Self.text("uploadId", of: session)
        let part = try await server.post("\(uploads)/\(id)/parts", ["partNumber": 1], token: token)
        let url = try #require(URL(string: Self.text("uploadUrl", of: part)))
        let (host, port) = (url.host() ?? "", UInt16(url.port ?? 80))
        let path = url.path(percentEncoded: true) + (url.query(percentEncoded: true).map { "?\($0)" } ?? "")
        let put = try await WireClient(host: host, port: port).send("PUT", path, body: bytes)
        let tag = try #require(put[header: "ETag"], "\(put.status) \(put.text)").filter { $0 != "\"" }
        let completed = try await server.post(
            "\(uploads)/\(id)/complete", ["parts": [["partNumber": 1, "etag": .string(tag)]]], token: token)
        try #require(completed.status == 200, "\(completed.text)")
        let committed = try await server.post("\(uploads)/\(id)/commit", [:], token: token)
        try #require(committed.status == 200, "\(committed.text)")
        return (digest, bytes.count)
    }

    private static func draft(
        _ name: String, in repo: String, of blob: (hex: String, length: Int), _ server: ServerProcess, _ token: String
    ) async throws -> Draft {
        let versions = "/v1/repos/\(repo)/packages/versions"
        let opened = try await server.post(
            "\(versions)/drafts", ["packageType": "raw", "packageName": .string(name), "version": "1"], token: token)
        let id = try Self.text("versionId", of: opened)
        let entries = Self.entries.map { path -> JSON in
            ["relativePath": .string(path), "blobDigest": .string(blob.hex), "sizeBytes": JSON(blob.length)]
        }
        let added = try await server.post("\(versions)/\(id)/entries", ["entries": .array(entries)], token: token)
        try #require(added.status == 200, "\(added.text)")
        let manifest = try await server.put(
            "\(versions)/\(id)/manifest", JSON.object([.init("manifest", ["name": .string(name)])]).bytes, token: token,
            headers: [("Content-Type", "application/json")])
        try #require(manifest.status == 200, "\(manifest.text)")
        return Draft(id: id, repo: repo, name: name)
    }

    private static func text(_ name: String, of answer: WireAnswer) throws -> String {
        try #require(try JSON(parsing: answer.body)[name]?.text, "\(answer.status) \(answer.text)")
    }

    // MARK: - Clients

    /// Publishes this and that. A server that is gone ends it.
    func run(client: UInt64) async {
        var random = SplitMix64(self.seed &* 1000 &+ client)
        for request in 0..<Self.requestsPerClient {
            let key = Bool.random(using: &random) ? "\(client)-\(request)" : nil
            // One in three goes for the same few versions as everybody.
            let pool = Int.random(in: 0..<3, using: &random) == 0 ? Array(self.drafts.prefix(3)) : self.drafts
            let path: String
            var body: JSON?
            if Bool.random(using: &random) {
                let count = Int.random(in: 2...5, using: &random)
                let ids = Set((0..<count).map { _ in pool.randomElement(using: &random)!.id })
                path = "/v1/releases"
                body = ["versionIds": JSON(ids.shuffled(using: &random))]
            } else {
                let draft = pool.randomElement(using: &random)!
                path = "/v1/repos/\(draft.repo)/packages/versions/\(draft.id)/publish"
            }
            let times = Int.random(in: 0..<4, using: &random) == 0 ? 2 : 1
            let isAborted = Int.random(in: 0..<6, using: &random) == 0
            do {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<times {
                        group.addTask { [body] in try await self.send(path, body, key: key, aborts: isAborted) }
                    }
                    try await group.waitForAll()
                }
            } catch {
                if self.record.hasEnded || !self.server.isRunning { return }
            }
        }
    }

    private func send(_ path: String, _ body: JSON?, key: String?, aborts: Bool) async throws {
        var headers = [("Authorization", "Bearer \(self.token)")]
        if let key { headers.append(("Idempotency-Key", key)) }
        if body != nil { headers.append(("Content-Type", "application/json")) }
        if aborts {
            try await self.server.client.abandon("POST", path, headers: headers, body: body?.bytes ?? [])
            return
        }
        let answer = try await self.server.client.send("POST", path, headers: headers, body: body?.bytes ?? [])
        // An answer counts once all of it has come.
        guard answer.isComplete, let document = try? JSON(parsing: answer.body) else { return }
        switch answer.status {
        case 200, 201:
            if let release = document["releaseId"]?.text {
                let versions = document["versions"]?.elements ?? []
                self.record.acknowledge(release: release, of: Set(versions.compactMap { $0["versionId"]?.text }))
            } else if let version = document["versionId"]?.text {
                self.record.acknowledge([version])
            }
        case 409, 503: break  // in the way of others; or the database was busy, and nothing was done
        default: self.record.note(fault: "\(path): \(answer.status) \(answer.text)")
        }
    }

    // MARK: - Readers

    /// Looks at versions, releases and logs until the race is over: each is whole, or not there.
    func read(_ reader: UInt64) async {
        var random = SplitMix64(self.seed &* 1000 &+ 500 &+ reader)
        while !self.record.hasEnded {
            do {
                try await self.look(at: self.drafts.randomElement(using: &random)!)
                try await self.lookAtReleases()
                try await self.lookAtEvents(of: Self.repositories.randomElement(using: &random)!)
            } catch {
                // The server has been killed.
                if !self.server.isRunning { return }
            }
        }
    }

    private func get(_ path: String) async throws -> (status: Int, body: JSON) {
        let answer = try await self.server.get(path, token: self.token)
        // A busy database may say so to a reader too: he has seen nothing then.
        guard answer.isComplete, answer.status != 503 else { throw CutOff() }
        return (answer.status, try JSON(parsing: answer.body))
    }

    /// - Returns: whether it is published.
    @discardableResult
    private func look(at draft: Draft) async throws -> Bool {
        let (status, body) = try await self.get("/v1/repos/\(draft.repo)/packages/raw/\(draft.name)/versions/1")
        switch status {
        case 404: return false
        case 200:
            let paths = body["entries"]?.elements?.compactMap { $0["relativePath"]?.text }
            if paths != Self.entries || body["manifest"]?["name"]?.text != draft.name
                || body["state"] != "published" || body["publishedAtUtc"]?.text == nil
            {
                self.record.note(fault: "a part of a version: \(body)")
            }
        default: self.record.note(fault: "\(draft.name): \(status) \(body)")
        }
        return true
    }

    private func lookAtReleases() async throws {
        let (_, list) = try await self.get("/v1/releases?limit=3")
        for item in list["items"]?.elements ?? [] {
            guard let id = item["releaseId"]?.text else { continue }
            let (status, release) = try await self.get("/v1/releases/\(id)")
            let states = release["versions"]?.elements?.map { $0["state"]?.text } ?? []
            if status != 200 || Int64(states.count) != item["versionCount"]?.integer
                || states.contains(where: { $0 != "published" })
            {
                self.record.note(fault: "a part of a release: \(release)")
            }
        }
    }

    private func lookAtEvents(of repo: String) async throws {
        let (_, page) = try await self.get("/v1/repos/\(repo)/events?wait=0&limit=1000")
        let numbers = page["events"]?.elements?.compactMap { $0["seq"]?.integer } ?? []
        if numbers != (0..<numbers.count).map({ Int64($0 + 1) }) {
            self.record.note(fault: "the log of \(repo) has a gap: \(numbers)")
        }
    }

    // MARK: - Afterwards

    /// A commit that a dead server had sent may still be under way in PostgreSQL: waits until nothing changes any more.
    private func settle() async throws {
        var states: [String?] = []
        let isSettled = try await eventually {
            var now: [String?] = []
            for draft in self.drafts {
                now.append(
                    try await self.get("/v1/repos/\(draft.repo)/packages/versions/\(draft.id)").body["state"]?.text)
            }
            defer { states = now }
            return now == states
        }
        try #require(isSettled)
    }

    /// Each version is a draft or published whole, told of once or not at all; whatever was acknowledged is there.
    func check() async throws {
        try await self.settle()
        var published: Set<String> = []
        for draft in self.drafts {
            let (_, view) = try await self.get("/v1/repos/\(draft.repo)/packages/versions/\(draft.id)")
            let isPublished = try await self.look(at: draft)
            #expect(view["state"]?.text == (isPublished ? "published" : "draft"))
            #expect(view["entries"]?.elements?.count == Self.entries.count)
            let (_, audit) = try await self.get("/v1/audit?action=package.version.published&resourceId=\(draft.id)")
            #expect(audit.elements?.count == (isPublished ? 1 : 0), "\(draft)")
            if isPublished { published.insert(draft.id) }
        }
        #expect(self.record.faults == [])
        let lost = self.record.acknowledged.subtracting(published)
        #expect(lost == [], "acknowledged, and lost")

        var told: [String] = []
        for repo in Self.repositories {
            let (_, page) = try await self.get("/v1/repos/\(repo)/events?wait=0&limit=1000")
            let events = try #require(page["events"]?.elements)
            #expect(events.map { $0["seq"]?.integer } == (0..<events.count).map { Int64($0 + 1) }, "\(repo)")
            #expect(page["latestSeq"]?.integer == Int64(events.count))
            told += events.filter { $0["type"] == "version.published" }.compactMap { $0["versionId"]?.text }
        }
        #expect(told.sorted() == published.sorted(), "one event for each published version")

        for (id, versions) in self.record.releases {
            let (status, release) = try await self.get("/v1/releases/\(id)")
            let shown = Set(release["versions"]?.elements?.compactMap { $0["versionId"]?.text } ?? [])
            #expect(status == 200 && shown == versions, "release \(id)")
        }
        let (_, list) = try await self.get("/v1/releases?limit=500")
        for item in try #require(list["items"]?.elements) {
            let id = try #require(item["releaseId"]?.text)
            let (_, release) = try await self.get("/v1/releases/\(id)")
            let states = try #require(release["versions"]?.elements).map { $0["state"]?.text }
            #expect(states.allSatisfy { $0 == "published" } && Int64(states.count) == item["versionCount"]?.integer)
        }
    }
}
