// Invariants I1, I3, I5 and I7 under kill -9, for uploads by sessions: five hundred of them, with the server killed and
// started again at random points. What was acknowledged is there and right, no blob row is without its object, and after
// the sweep the store holds what the rows know and nothing else.

import Cryptography
import Domain
import Filesystem
import Foundation
import Persistence
import PostgreSQL
import Registry
import S3
import SQLite
import Storage
import Synchronization
import TestSupport
import Testing
import Threads

@Suite struct SessionKillTests {
    private static let uploads = 500
    private static let clients = 12
    private static let kills = 6

    @Test(arguments: Shape.available)
    func `kills amid five hundred sessions lose nothing that was acknowledged`(shape: Shape) async throws {
        try await shape.withServer { server in
            let token = try await server.token()
            try await server.createRepository("files", token: token)
            let queue = Queue(Self.uploads)
            var random = SystemRandomNumberGenerator()
            for round in 0...Self.kills {
                // Killed after some more requests, wherever they are; the last round works off the rest.
                let most = Self.uploads * 5 / (Self.kills + 1)
                let steps = round < Self.kills ? Int.random(in: most / 4...most, using: &random) : .max
                let end = Countdown(steps)
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<Self.clients { group.addTask { await Self.work(queue, end, server, token) } }
                    if round < Self.kills {
                        group.addTask {
                            _ = await eventually(within: .seconds(120)) { end.isOver || queue.isDone }
                            server.kill()
                            end.stop()
                        }
                    }
                }
                if round < Self.kills { try await server.start() }
            }
            let acknowledged = queue.acknowledged
            #expect(acknowledged.count == Self.uploads, "\(queue.refusals.prefix(5))")
            for number in acknowledged.sorted().filter({ $0 % 5 == 0 }) {
                let answer = try await server.get(Self.path(number), token: token)
                #expect(answer.status == 200 && answer.body == Self.body(number), "upload \(number) is lost")
            }
            server.kill()
            try await Self.examine(server, shape, acknowledged)
        }
    }

    private static func body(_ number: Int) -> [UInt8] {
        Array(SHA256.digest(of: "body \(number)").hex.utf8)
            + [UInt8](repeating: UInt8(number % 251), count: number * 20)
    }

    private static func path(_ number: Int) -> String {
        "/v1/repos/files/blobs/\(SHA256.digest(of: self.body(number)).hex)"
    }

    /// A client: takes uploads off the queue, and puts back those that failed.
    private static func work(_ queue: Queue, _ end: Countdown, _ server: ServerProcess, _ token: String) async {
        while !end.isStopped, queue.refusals.count < 5000, let number = queue.take() {
            do {
                try await self.upload(number, server, token, end)
                queue.acknowledge(number)
            } catch {
                queue.putBack(number, "\(error)")
            }
        }
    }

    /// All steps, from the beginning.
    private static func upload(
        _ number: Int, _ server: ServerProcess, _ token: String, _ end: Countdown
    ) async throws {
        let body = self.body(number)
        let digest = JSON.string(SHA256.digest(of: body).hex)
        func post(_ path: String, _ document: JSON) async throws -> JSON {
            end.step()
            let answer = try await server.post(path, document, token: token)
            guard [200, 201].contains(answer.status) else {
                throw SessionFailure(description: "\(path): \(answer.status) \(answer.text)")
            }
            return try JSON(parsing: answer.body)
        }
        let opened = try await post(
            "/v1/repos/files/uploads", ["expectedDigest": digest, "expectedLength": JSON(body.count)])
        if opened["state"] == "committed" { return }  // it was committed, and nobody heard of it
        let session = "/v1/repos/files/uploads/\(opened["uploadId"]?.text ?? "")"
        let address = try await post("\(session)/parts", ["partNumber": 1])
        guard let url = URLComponents(string: address["uploadUrl"]?.text ?? ""), let port = url.port else {
            throw SessionFailure(description: "no URL: \(address)")
        }
        end.step()
        let part = try await WireClient(host: url.host ?? "", port: UInt16(port)).send(
            "PUT", "\(url.percentEncodedPath)?\(url.percentEncodedQuery ?? "")", body: body)
        guard part.status == 200, let tag = part[header: "etag"] else {
            throw SessionFailure(description: "no part: \(part.status) \(part.text)")
        }
        _ = try await post("\(session)/complete", ["parts": [["partNumber": 1, "eTag": .string(tag)]]])
        let committed = try await post("\(session)/commit", [:])
        guard committed["digest"] == digest else { throw SessionFailure(description: "committed: \(committed)") }
    }

    /// Looks at database and store themselves, the server being dead.
    private static func examine(_ server: ServerProcess, _ shape: Shape, _ acknowledged: Set<Int>) async throws {
        let database: any Database
        switch shape {
        case .embedded: database = SQLiteDatabase(path: "\(server.directory)/data/artifortress.db", readers: 2)
        case .production:
            database = PostgreSQLDatabase(
                try PostgreSQLAddress(parsing: server.settings["database.url"] ?? ""), connections: 2)
        }
        do {
            let storage = try await self.storage(of: server, shape, database)
            let rows = try await database.lookup { transaction in
                try transaction.all(
                    "SELECT digest, length_bytes, storage_key FROM blobs WHERE state = 'live'",
                    as: { (try $0[0] as BlobDigest, try $0[1] as Int, try $0[2] as StorageKey) })
            }
            let digests = Set(rows.map(\.0))
            #expect(acknowledged.allSatisfy { digests.contains(SHA256.digest(of: self.body($0))) })
            for (digest, length, key) in rows {
                let bytes = try await storage.get(key, 0..<length, of: length)
                #expect(SHA256.digest(of: bytes) == digest, "\(digest) dangles")
            }
            // Hours later: sessions are over, the killed processes long dead.
            let clock = WallClock { WallClock.system.now() + 7200 }
            try await UploadExpiry(database: database, clock: clock).run()
            try await ObjectSweep(database: database, storage: storage, clock: clock).run()
            let left = try await storage.list(after: nil, limit: 10_000)
            #expect(Set(left.map(\.key)) == Set(rows.map(\.2)))
            #expect(left.allSatisfy { $0.uploads.isEmpty })
            for table in ["staged_objects", "dead_objects"] {
                let count = try await database.lookup { transaction in
                    try transaction.first(SQL(stringLiteral: "SELECT count(*) FROM \(table)"), as: { try $0[0] as Int })
                }
                #expect(count == 0, "\(table)")
            }
        } catch {
            await database.close()
            throw error
        }
        await database.close()
    }

    private static func storage(
        of server: ServerProcess, _ shape: Shape, _ database: any Database
    ) async throws -> any BlobStorage {
        let id = try await database.lookup { try InstallationStore.value("installation-id", $0) }
        let installation = try #require(id.flatMap { UniqueID($0) })
        guard shape == .production, var location = S3Fixture.location,
            let url = URLComponents(string: server.settings["storage.url"] ?? "")
        else { return try FilesystemStorage(root: "\(server.directory)/data/blobs", installation: installation) }
        location.prefix = url.path.dropFirst() + "/"
        return try S3Fixture.storage(location, installation: installation)
    }
}

private struct SessionFailure: Error, CustomStringConvertible { let description: String }

/// Uploads that are still to be made, and those that were acknowledged.
private final class Queue: Sendable {
    private struct State {
        var waiting: [Int]
        var acknowledged: Set<Int> = []
        var refusals: [String] = []
    }

    private let count: Int
    private let state: Mutex<State>

    init(_ count: Int) {
        self.count = count
        self.state = Mutex(State(waiting: Array((0..<count).reversed())))
    }

    var acknowledged: Set<Int> { self.state.withLock(\.acknowledged) }
    var refusals: [String] { self.state.withLock(\.refusals) }
    var isDone: Bool { self.state.withLock { $0.acknowledged.count == self.count } }

    func take() -> Int? { self.state.withLock { $0.waiting.popLast() } }
    func acknowledge(_ number: Int) { self.state.withLock { _ = $0.acknowledged.insert(number) } }

    func putBack(_ number: Int, _ refusal: String) {
        self.state.withLock { state in
            state.waiting.insert(number, at: 0)
            state.refusals.append(refusal)
        }
    }
}

/// How many more requests are made before the kill.
private final class Countdown: Sendable {
    private let left: Atomic<Int>
    private let stopped = Atomic(false)

    init(_ steps: Int) { self.left = Atomic(steps) }

    var isOver: Bool { self.left.load(ordering: .relaxed) <= 0 }
    var isStopped: Bool { self.stopped.load(ordering: .relaxed) }

    func step() { self.left.subtract(1, ordering: .relaxed) }
    func stop() { self.stopped.store(true, ordering: .relaxed) }
}
