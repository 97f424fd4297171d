// A completion that outlives its lease and is overtaken by another one, with another list of parts: the blob is what
// was announced, or there is none. And a commit that is overtaken. Rules: architecture, I1; HTTP contract, section 9,
// rows 33 and 38.

import Cryptography
import Domain
import Filesystem
import Foundation
import HTTP
import Storage
import Synchronization
import TestSupport
import Testing

@Suite struct OvertakingTests {
    private static let right = Array("the right bytes".utf8)
    private static let wrong = Array("the wrong ones.".utf8)  // as many
    private static let digest = SHA256.digest(of: right).hex

    /// Which side of the store's own work the first call stands still on, and whether it has several parts.
    enum Halt: CaseIterable { case before, after, beforeSeveral, afterSeveral }

    @Test(arguments: Ground.all, Halt.allCases)
    func `who is overtaken changes nothing any more`(ground: Ground, halt: Halt) async throws {
        try await ground.engine.withDatabase { database in
            try await ground.storage.with { storage in
                let gate = Halted()
                let slow = HookedStorage(
                    storage,
                    completing: { parts, below in
                        guard parts.first?.number == 1, gate.isFirst() else { return try await below() }
                        var made: Bool?
                        if halt == .after || halt == .afterSeveral { made = try await below() }
                        await gate.wait()
                        if let made { return made }
                        return try await below()
                    })
                let scene = try await UploadScene(database, slow, ground.storage, .generous)
                let session = try await scene.session(Self.right)
                // On S3 the last part alone may be small, and Ceph wants every part named: there the one part is replaced.
                let isFile = ground.storage.description == "file"
                let isSplit = (halt == .beforeSeveral || halt == .afterSeveral) && isFile
                let first = try await Self.put(Self.wrong, from: 1, split: isSplit, to: session, scene)
                async let overtaken = scene.post("\(session)/complete", first)
                await gate.reached()
                scene.pass(seconds: 61)  // the lease is over, and its holder isn't heard of
                let second = try? await Self.put(Self.right, from: isFile ? 3 : 1, split: isSplit, to: session, scene)
                let overtaking = await scene.post("\(session)/complete", second ?? first)
                gate.open()
                let late = await overtaken
                #expect([200, 404, 409, 503].contains(late.status), "\(late)")
                #expect([200, 404, 409, 503].contains(overtaking.status), "\(overtaking)")
                #expect(late.status == 200 || overtaking.status == 200)

                let committed = await scene.post("\(session)/commit")
                let answer = await scene.send("GET", "/v1/repos/files/blobs/\(Self.digest)")
                if committed.status == 200 {
                    #expect(answer.status == 200 && answer.body == Self.right)
                } else {
                    #expect(committed["error"] == "upload_verification_failed", "\(committed)")
                    #expect(answer.status == 404)
                }
                scene.pass(seconds: Int64(UploadScene.sessionLifetime))
                try await scene.sweep()
                #expect(try await scene.orphans() == [])
                #expect(try await storage.keys().count == (committed.status == 200 ? 1 : 0))
            }
        }
    }

    @Test(arguments: Ground.all)
    func `a commit that an abort overtakes is told so, not that the bytes are gone`(ground: Ground) async throws {
        try await ground.engine.withDatabase { database in
            try await ground.storage.with { storage in
                let (gate, stopper) = (Halted(), Stopper())
                let watched = HookedStorage(
                    storage, measuring: { if stopper.isSet, gate.isFirst() { await gate.wait() } })
                let scene = try await UploadScene(database, watched, ground.storage, .generous)
                let session = try await scene.session(Self.right)
                let tag = try await scene.put(Self.right, to: session)
                #expect(await scene.complete(session, [tag]).status == 200)
                stopper.set()
                async let overtaken = scene.post("\(session)/commit")
                await gate.reached()
                #expect(await scene.post("\(session)/abort").status == 200)
                gate.open()
                let late = await overtaken
                #expect(late.status == 409 && late["error"] == "conflict", "\(late)")
                #expect(try await scene.state(of: session) == .aborted)
                try await scene.sweep()
                #expect(try await scene.orphans() == [])
            }
        }
    }

    @Test func `of rival completions one makes the object, and the others know that they don't`() async throws {
        let fixture = StorageFixture.file  // what S3 does is S3's to promise
        for _ in 0..<20 {
            try await fixture.with { storage in
                let key = StorageKey.test()
                let upload = try await storage.beginMultipart(key)
                let bodies = [Self.right, Self.wrong]
                var parts: [StoredPart] = []
                for (index, body) in bodies.enumerated() {
                    parts.append(try await fixture.send(body, index + 1, of: upload, to: storage))
                }
                let made = await withTaskGroup(of: Int?.self, returning: [Int].self) { group in
                    for (index, part) in parts.enumerated() {
                        group.addTask { (try? await storage.complete(upload, [part])) == true ? index : nil }
                    }
                    return await group.reduce(into: []) { if let index = $1 { $0.append(index) } }
                }
                #expect(made.count == 1)
                let stored = try await storage.get(key, 0..<Self.right.count, of: Self.right.count)
                #expect(made.first.map { bodies[$0] } == stored)
            }
        }
    }

    @Test func `an object that is there is never replaced`() async throws {
        try await StorageFixture.file.with { storage in
            for count in 1...2 {
                let key = StorageKey.test()
                let upload = try await storage.beginMultipart(key)
                var parts: [StoredPart] = []
                for number in 1...count {
                    parts.append(try await storage.putPart(number, of: upload, .init(Self.wrong), limit: 100))
                }
                try await storage.put(Self.right, key)
                #expect(try await storage.complete(upload, parts) == false)
                #expect(try await storage.get(key, 0..<Self.right.count, of: Self.right.count) == Self.right)
                #expect(await faultKind { try await storage.put(Self.wrong, key) } == "other")
                #expect(try await storage.get(key, 0..<Self.right.count, of: Self.right.count) == Self.right)
                #expect(try await storage.list(after: nil, limit: 10).allSatisfy { $0.uploads.isEmpty })
            }
        }
    }

    @Test(arguments: Engine.direct)
    func `a completion that died between its steps can be finished`(engine: Engine) async throws {
        try await engine.withDatabase { database in
            try await TemporaryDirectory.with { path in
                let storage = try FilesystemStorage(root: "\(path)/storage", installation: .random(), threads: 2)
                let hasDied = Atomic(false)
                let dying = HookedStorage(
                    storage,
                    completing: { parts, below in
                        if hasDied.exchange(true, ordering: .relaxed) { return try await below() }
                        // The object has its name, the directory of its parts is still there.
                        let files = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
                        let data = try #require(files.first { $0.contains("~parts/data.") })
                        let object = data.components(separatedBy: "~parts")[0]
                        try FileManager.default.moveItem(atPath: "\(path)/\(data)", toPath: "\(path)/\(object)")
                        throw StorageFault.unavailable("died")
                    })
                let scene = try await UploadScene(database, dying, .file, .generous)
                let session = try await scene.session(Self.right)
                let tag = try await scene.put(Self.right, to: session)
                #expect(await scene.complete(session, [tag]).status == 503)
                #expect(await scene.complete(session, [tag]).status == 200)
                #expect(await scene.post("\(session)/commit").status == 200)
                #expect(await scene.send("GET", "/v1/repos/files/blobs/\(Self.digest)").body == Self.right)
            }
        }
    }

    /// - Returns: the body that completes with these parts.
    private static func put(
        _ bytes: [UInt8], from number: Int, split: Bool, to session: String, _ scene: UploadScene
    ) async throws -> JSON {
        let pieces = split ? [Array(bytes.prefix(5)), Array(bytes.dropFirst(5))] : [bytes]
        var list: [JSON] = []
        for (index, piece) in pieces.enumerated() {
            let tag = try await scene.put(piece, number + index, to: session)
            list.append(["partNumber": JSON(number + index), "eTag": .string(tag)])
        }
        return ["parts": .array(list)]
    }
}

private final class Stopper: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { self.flag.load(ordering: .acquiring) }
    func set() { self.flag.store(true, ordering: .releasing) }
}

/// Lets the first who comes wait until it is opened.
private final class Halted: Sendable {
    private struct State {
        var hasCome = false
        var isOpen = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func isFirst() -> Bool { self.state.withLock { !$0.hasCome && !$0.isOpen } }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = self.state.withLock { state in
                state.hasCome = true
                if !state.isOpen { state.waiter = continuation }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    /// Waits until somebody waits.
    func reached() async {
        _ = await eventually(within: .seconds(60)) { self.state.withLock(\.hasCome) }
    }

    func open() {
        let waiter = self.state.withLock { state in
            state.isOpen = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}
