// A stored object that is damaged is found when its bytes arrive again, and replaced by them: what is acknowledged can be
// read, and so can everything that referred to the damaged object. Rules: architecture, I1 and section 6.

import Cryptography
import Domain
import HTTP
import Persistence
import Storage
import TestSupport
import Testing

@testable import artifortress

@Suite struct RepairTests {
    /// How bytes that are stored already are written once more.
    enum Way: String, CaseIterable, Sendable {
        case path, session, fastPath
    }

    struct Case: Sendable, CustomStringConvertible {
        let stores: Stores, harm: Harm, way: Way

        var description: String { "\(self.stores): \(self.harm), \(self.way)" }

        static let all = Stores.all.flatMap { stores in
            Harm.allCases.flatMap { harm in Way.allCases.map { Case(stores: stores, harm: harm, way: $0) } }
        }
    }

    private static let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 13 &+ $0 >> 8) }
    private static let digest = SHA256.digest(of: bytes)

    private static func prepare(_ server: Installation) async throws -> String {
        let token = try await server.token()
        try await server.createRepository("files", token: token)
        try await server.createRepository("others", token: token)
        try #require(try await server.put("/generic/files/first", Self.bytes, token: token).status == 201)
        // The caches of resolved files and of open files know it.
        for _ in 0..<2 {
            try #require(try await server.send("GET", "/generic/files/first", token: token).body == Self.bytes)
        }
        return token
    }

    private static func audited(_ action: String, _ server: Installation, _ token: String) async throws -> [JSON] {
        try await server.audit(token, "action=\(action)&limit=100")
    }

    @Test(arguments: Case.all)
    func `a damaged object is replaced by the next upload of its bytes`(test: Case) async throws {
        try await test.stores.with { server in
            let token = try await Self.prepare(server)
            let damaged = try await server.object(of: Self.digest)
            try await server.harm(Self.digest, test.harm, bytes: Self.bytes)
            let second: String
            switch test.way {
            case .path:
                second = "/generic/others/second"
                #expect(try await server.put(second, Self.bytes, token: token).status == 201)
            case .session:
                second = "/v1/repos/others/blobs/\(Self.digest)"
                // A caller that may not read the bytes has to send them.
                let writer = try await server.token(["repo:others:write"], subject: "writer")
                let opened = try await server.open(Self.bytes, in: "others", token: writer)
                #expect(opened.status == 201, "\(opened.text)")
                let committed = try await server.finish(opened, Self.bytes, in: "others", token: writer)
                #expect(committed.status == 200, "\(committed.text)")
            case .fastPath:
                second = "/v1/repos/others/blobs/\(Self.digest)"
                let opened = try await server.open(Self.bytes, in: "others", token: token)
                #expect(opened.status == 201 && opened.json["deduped"] == false, "\(opened.text)")
                if test.harm == .flip {
                    let blocked = try await server.send("GET", "/generic/files/first", token: token)
                    #expect(blocked.status == 404 && blocked.error == "object_not_found", "\(blocked.text)")
                }
                let committed = try await server.finish(opened, Self.bytes, in: "others", token: token)
                #expect(committed.status == 200, "\(committed.text)")
            }
            for path in ["/generic/files/first", second] {
                for _ in 0..<2 {
                    let answer = try await server.send("GET", path, token: token)
                    #expect(answer.status == 200 && answer.body == Self.bytes, "\(path): \(answer.status)")
                    #expect(answer.headers["etag"] == "\"\(Self.digest)\"")
                }
            }
            let repairs = try await Self.audited("blob.repaired", server, token)
            let isKnown = test.way == .fastPath && test.harm == .flip
            #expect(repairs.count == 1)
            #expect(repairs.first?["resourceId"]?.text == Self.digest.hex)
            #expect(repairs.first?["details"]?["damage"]?.text == (isKnown ? "blocked" : test.harm.damage))
            #expect(try await Self.audited("blob.damaged", server, token).count == (isKnown ? 1 : 0))
            #expect(try await server.object(of: Self.digest) != damaged)
            #expect(try await server.count("dead_objects WHERE reason = 'damaged'") == 1)

            // From now on the bytes are there once more: nothing is repaired again, and no copy is kept.
            #expect(try await server.put("/generic/files/third", Self.bytes, token: token).status == 201)
            let known = try await server.open(Self.bytes, in: "files", token: token)
            #expect(known.status == 200 && known.json["deduped"] == true, "\(known.text)")
            #expect(try await Self.audited("blob.repaired", server, token).count == 1)
            for sweep in server.serving.sweeps where sweep.name == "object sweep" { try await sweep.once() }
            #expect(try await server.deployment.storage.keys() == [server.object(of: Self.digest)])
        }
    }

    @Test(arguments: Stores.all)
    func `a blob that is known to be damaged is repaired by the next upload of its bytes`(stores: Stores) async throws {
        try await stores.with { server in
            let token = try await Self.prepare(server)
            _ = try await server.database.transaction { transaction in
                try transaction.execute("UPDATE blobs SET blocked_at = created_at WHERE digest = \(Self.digest)")
            }
            #expect(try await server.send("GET", "/generic/files/first", token: token).status == 404)
            #expect(try await server.open(Self.bytes, in: "files", token: token).status == 201)
            #expect(try await server.put("/generic/files/second", Self.bytes, token: token).status == 201)
            #expect(try await server.send("GET", "/generic/files/first", token: token).body == Self.bytes)
            let repairs = try await Self.audited("blob.repaired", server, token)
            #expect(repairs.count == 1 && repairs.first?["details"]?["damage"] == "blocked")
        }
    }

    @Test(arguments: Stores.all, Harm.allCases)
    func `of uploads that repair a blob at the same time one does, and all can be read`(
        stores: Stores, harm: Harm
    ) async throws {
        try await stores.with { server in
            let token = try await Self.prepare(server)
            try await server.harm(Self.digest, harm, bytes: Self.bytes)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<6 {
                    group.addTask {
                        try await server.put("/generic/files/rival-\(number)", Self.bytes, token: token).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == Array(repeating: 201, count: 6))
            for name in ["first"] + (0..<6).map({ "rival-\($0)" }) {
                #expect(try await server.send("GET", "/generic/files/\(name)", token: token).body == Self.bytes)
            }
            #expect(try await Self.audited("blob.repaired", server, token).count == 1)
            for sweep in server.serving.sweeps where sweep.name == "object sweep" { try await sweep.once() }
            #expect(try await server.deployment.storage.keys() == [server.object(of: Self.digest)])
        }
    }

    @Test(arguments: Stores.all)
    func `an attestation and an empty file repair their objects too`(stores: Stores) async throws {
        try await stores.with { server in
            let token = try await server.token()
            try await server.createRepository("files", token: token)
            #expect(try await server.put("/generic/files/empty", [], token: token).status == 201)
            let empty = SHA256.digest(of: [UInt8]())
            try await server.deployment.storage.delete(server.object(of: empty))
            #expect(try await server.put("/generic/files/second", [], token: token).status == 201)
            #expect(try await server.deployment.storage.length(of: server.object(of: empty)) == 0)

            try await server.createRepository("pkgs", token: token)
            let version = try await server.published("kit", token: token)
            let other = try await server.published("other", token: token)
            let subject = SHA256.digest(of: Array("content".utf8))
            let document = JSON.object([
                .init("_type", "https://in-toto.io/Statement/v1"), .init("predicateType", "https://example.org/t"),
                .init("subject", [["name": "f", "digest": ["sha256": .string(subject.hex)]]]),
            ]).bytes
            func attest(_ version: String) async throws -> Answer {
                try await server.put(
                    "/v1/repos/pkgs/packages/versions/\(version)/attestations", document, token: token)
            }
            let first = try await attest(version)
            #expect(first.status == 201, "\(first.text)")
            try await server.harm(SHA256.digest(of: document), .delete, bytes: document)
            #expect(try await attest(other).status == 201)
            let repairs = try await Self.audited("blob.repaired", server, token)
            #expect(repairs.map { $0["details"]?["damage"] } == ["missing", "missing"])
            let key = try await server.object(of: SHA256.digest(of: document))
            #expect(try await server.deployment.storage.length(of: key) == document.count)
        }
    }
}
