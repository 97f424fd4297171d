// Random walks through the life of versions, beside a model of it: each answer and each state is what the model says.
// Rules: HTTP contract, 3.5 and 6.1.

import Domain
import HTTP
import TestSupport
import Testing

@testable import artifortress

/// What the contract says of a few versions.
private struct Model {
    struct Version {
        var id: String
        var state = VersionState.draft
        var entries: [String: String] = [:]
        var manifest: Int64?

        var isComplete: Bool { !self.entries.isEmpty && self.manifest != nil }
        var isPublishable: Bool { self.state == .draft && self.isComplete }
    }

    /// By package name.
    var versions: [String: Version] = [:]
    var releases: Set<Set<String>> = []
    /// How often each was published: never more than once.
    var published: Set<String> = []
}

/// One walk, in a repository of its own.
private struct Walk {
    static let names = ["a", "b", "c", "d"]
    private static let steps = 60

    let server: Installation
    let token: String
    let repo: String
    let blobs: [BlobDigest]
    var random: SplitMix64
    var model = Model()

    private var versions: String { "/v1/repos/\(self.repo)/packages/versions" }

    mutating func run() async throws {
        for _ in 0..<Self.steps {
            let name = try #require(Self.names.randomElement(using: &self.random))
            switch Int.random(in: 0..<12, using: &self.random) {
            case 0, 1: try await self.draft(name)
            case 2, 3, 4: try await self.putEntry(name)
            case 5, 6: try await self.putManifest(name)
            case 7, 8: try await self.publish(name)
            case 9: try await self.tombstone(name)
            default: try await self.release()
            }
            try await self.compare(name)
        }
        try await self.compareLogs()
    }

    private func post(_ path: String, _ body: JSON? = nil) async throws -> Answer {
        try await self.server.send("POST", path, token: self.token, body)
    }

    private mutating func draft(_ name: String) async throws {
        let answer = try await self.post(
            "\(self.versions)/drafts", ["packageType": "raw", "packageName": .string(name), "version": "1"])
        switch self.model.versions[name]?.state {
        case nil:
            #expect(answer.status == 201, "\(answer.text)")
            self.model.versions[name] = .init(id: try #require(answer.json["versionId"]?.text))
        case .draft:
            #expect(answer.status == 200 && answer.json["reusedDraft"] == true)
            #expect(answer.json["versionId"]?.text == self.model.versions[name]?.id)
        case .published, .tombstoned: #expect(answer.status == 409)
        }
    }

    private func id(of name: String) -> String { self.model.versions[name]?.id ?? UniqueID.random().description }

    private mutating func putEntry(_ name: String) async throws {
        let path = ["x", "y", "z"].randomElement(using: &self.random)!
        let digest = self.blobs.randomElement(using: &self.random)!
        let answer = try await self.server.putEntry(
            path, digest, length: 1, of: self.id(of: name), in: self.repo, token: self.token)
        self.expect(answer, edits: name)
        if answer.status == 200 { self.model.versions[name]?.entries[path] = digest.hex }
    }

    private mutating func putManifest(_ name: String) async throws {
        let mark = Int64.random(in: 0..<1000, using: &self.random)
        let answer = try await self.server.putManifest(
            ["mark": .integer(mark)], of: self.id(of: name), in: self.repo, token: self.token)
        self.expect(answer, edits: name)
        if answer.status == 200 { self.model.versions[name]?.manifest = mark }
    }

    private func expect(_ answer: Answer, edits name: String) {
        switch self.model.versions[name]?.state {
        case nil: #expect(answer.status == 404)
        case .draft: #expect(answer.status == 200, "\(answer.text)")
        case .published, .tombstoned:
            #expect(answer.status == 409 && answer.text.contains("cannot be modified"))
        }
    }

    private mutating func publish(_ name: String) async throws {
        let answer = try await self.post("\(self.versions)/\(self.id(of: name))/publish")
        guard let version = self.model.versions[name] else { return #expect(answer.status == 404) }
        switch version.state {
        case .draft where version.isComplete:
            #expect(answer.status == 200 && answer.json["idempotent"] == false, "\(answer.text)")
            self.markPublished(name)
        case .published: #expect(answer.status == 200 && answer.json["idempotent"] == true)
        case .draft, .tombstoned: #expect(answer.status == 409)
        }
    }

    private mutating func markPublished(_ name: String) {
        self.model.versions[name]?.state = .published
        #expect(self.model.published.insert(name).inserted)
    }

    private mutating func tombstone(_ name: String) async throws {
        let answer = try await self.post(
            "\(self.versions)/\(self.id(of: name))/tombstone", ["reason": "r", "retentionDays": 1])
        guard let version = self.model.versions[name] else { return #expect(answer.status == 404) }
        #expect(answer.status == 200 && answer.json["idempotent"] == .bool(version.state == .tombstoned))
        self.model.versions[name]?.state = .tombstoned
    }

    private mutating func release() async throws {
        let names = Set(
            (0..<3).compactMap { _ in self.model.versions.keys.sorted().randomElement(using: &self.random) })
        guard !names.isEmpty else { return }
        let ids = names.map { self.id(of: $0) }
        let answer = try await self.post("/v1/releases", ["versionIds": JSON(ids)])
        let states = names.compactMap { self.model.versions[$0] }
        if states.allSatisfy(\.isPublishable) {
            #expect(answer.status == 201, "\(answer.text)")
            for name in names { self.markPublished(name) }
            self.model.releases.insert(names)
        } else if states.allSatisfy({ $0.state == .published }), self.model.releases.contains(names) {
            #expect(answer.status == 200 && answer.json["idempotent"] == true)
        } else {
            #expect(answer.status == 409, "\(answer.text)")
            let blocked = Set(answer.json["blocked"]?.elements?.compactMap { $0["versionId"]?.text } ?? [])
            #expect(blocked == Set(states.filter { !$0.isPublishable }.map(\.id)))
        }
    }

    // MARK: - Comparing

    private func compare(_ name: String) async throws {
        guard let version = self.model.versions[name] else { return }
        let view = try await self.server.send("GET", "\(self.versions)/\(version.id)", token: self.token)
        #expect(view.json["state"]?.text == version.state.rawValue)
        #expect(view.json["manifest"]?["mark"] == version.manifest.map { .integer($0) })
        let entries = try #require(view.json["entries"]?.elements).map {
            ($0["relativePath"]?.text ?? "", $0["blobDigest"]?.text ?? "")
        }
        #expect(Dictionary(uniqueKeysWithValues: entries) == version.entries)
        let byName = try await self.server.send(
            "GET", "/v1/repos/\(self.repo)/packages/raw/\(name)/versions/1", token: self.token)
        #expect(byName.status == (version.state == .published ? 200 : 404))
    }

    private func compareLogs() async throws {
        let feed = try await self.server.send(
            "GET", "/v1/repos/\(self.repo)/events?wait=0&limit=1000", token: self.token)
        let events = try #require(feed.json["events"]?.elements)
        #expect(events.map { $0["seq"]?.integer } == (0..<events.count).map { Int64($0 + 1) })
        let published = events.filter { $0["type"] == "version.published" }.map { $0["versionId"]?.text ?? "" }
        #expect(published.sorted() == self.model.published.map { self.id(of: $0) }.sorted())
        for (name, version) in self.model.versions {
            let audit = try await self.server.audit(
                self.token, "action=package.version.published&resourceId=\(version.id)")
            #expect(audit.count == (self.model.published.contains(name) ? 1 : 0))
        }
    }
}

@Suite struct VersionModelTests {
    @Test(arguments: Engine.direct)
    func `whatever is asked in whatever order, versions live as the contract says`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.token()
            for seed in UInt64(1)...8 {
                let repo = "walk-\(seed)"
                try await server.createRepository(repo, token: token)
                let blobs = [
                    try await server.commit([UInt8(seed)], in: repo),
                    try await server.commit([UInt8(seed) + 100], in: repo),
                ]
                var walk = Walk(
                    server: server, token: token, repo: repo, blobs: blobs, random: SplitMix64(seed))
                try await walk.run()
            }
        }
    }
}
