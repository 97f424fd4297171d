// Sessions on an S3 store that spoils a fifth of all requests: an upload ends well or is refused, a download is whole or
// breaks off, and nothing wrong is stored or left. Rules: architecture, I1 and I8.

import Cryptography
import Domain
import Persistence
import Registry
import S3
import Storage
import TestSupport
import Testing

@Suite(.enabled(if: S3Fixture.location != nil, "no S3 store is named in the environment"))
struct UploadS3FaultTests {
    @Test(arguments: Engine.direct, [11, 12] as [UInt64])
    func `with a fifth of all requests spoilt, no wrong byte goes in or out`(
        engine: Engine, seed: UInt64
    ) async throws {
        guard let location = S3Fixture.location else { return }
        try await S3FaultProxy.with(location, rate: 20, seed: seed) { spoilt, proxy in
            try await S3Fixture.with(spoilt) { storage, place in
                try await engine.withDatabase { database in
                    let scene = try await UploadScene(database, storage, .file, .generous, verifies: seed % 2 == 0)
                    let ends = await withTaskGroup(of: Result<[UInt8], GivenUp>.self) { group in
                        for lane in 0..<12 { group.addTask { await Self.upload(lane, seed, scene) } }
                        return await group.reduce(into: []) { $0.append($1) }
                    }
                    let done = ends.compactMap { try? $0.get() }
                    #expect(done.count >= 9, "\(ends.compactMap(\.reason))")
                    #expect(proxy.faults > 10)
                    for bytes in done { await Self.download(bytes, scene) }

                    // Through the spoilt store until it says that nothing is left, then looked at without the proxy.
                    scene.pass(seconds: Int64(UploadScene.sessionLifetime) + 100)
                    _ = try await eventually(within: .seconds(60)) {
                        scene.pass(seconds: 100)  // what failed is postponed
                        try? await scene.sweep()
                        let dead = try await scene.count("SELECT count(*) FROM dead_objects")
                        return try await scene.count("SELECT count(*) FROM staged_objects") + dead == 0
                    }
                    var clear = place
                    clear.endpoint = location.endpoint
                    let store = try S3Fixture.storage(clear, installation: .random())
                    let left = try await store.keys()
                    let blobs = try await scene.count("SELECT count(*) FROM blobs")
                    // What the store did after it had been given up on is the reverse sweep's.
                    scene.pass(seconds: 2 * 86_400)
                    _ = await eventually(within: .seconds(60)) {
                        let sweep = StorageSweep(
                            database: database, storage: storage, clock: scene.clock, age: 86_400)
                        return (try? await sweep.run())?.isComplete ?? false
                    }
                    _ = try await eventually(within: .seconds(60)) {
                        scene.pass(seconds: 100)
                        try? await scene.sweep()
                        return try await scene.count("SELECT count(*) FROM dead_objects") == 0
                    }
                    let swept = try await store.list(after: nil, limit: 1000)
                    #expect(swept.count == blobs && swept.allSatisfy { $0.uploads.isEmpty }, "\(left)")
                }
            }
        }
    }

    /// A client that tries every step a few times.
    ///
    /// - Returns: what was acknowledged, or the answer at which it gave up.
    private static func upload(_ lane: Int, _ seed: UInt64, _ scene: UploadScene) async -> Result<[UInt8], GivenUp> {
        var random = SplitMix64(seed &* 100 &+ UInt64(lane))
        let length = [1, 1000, 100_000, 300_000][lane % 4]
        let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
        let digest = SHA256.digest(of: bytes).hex
        func trying(_ step: () async -> Answer) async -> Answer {
            var answer = await step()
            for _ in 0..<5 where answer.status >= 500 { answer = await step() }
            #expect([200, 201, 404, 409, 503].contains(answer.status), "\(answer)")
            return answer
        }
        let opened = await trying { await scene.open(digest, length) }
        guard opened.status == 201, let id = opened["uploadId"]?.text else {
            return .failure(GivenUp("open: \(opened)"))
        }
        let session = "/v1/repos/files/uploads/\(id)"
        var tag: String?
        var refusal = ""
        for _ in 0..<20 where tag == nil {
            do { tag = try await scene.put(bytes, to: session) } catch { refusal = "\(error)" }
        }
        guard let tag else { return .failure(GivenUp("part: \(refusal)")) }
        let completed = await trying { await scene.complete(session, [tag]) }
        guard completed.status == 200 else { return .failure(GivenUp("complete: \(completed)")) }
        let committed = await trying { await scene.post("\(session)/commit") }
        guard committed.status == 200 else { return .failure(GivenUp("commit: \(committed)")) }
        #expect(committed["digest"]?.text == digest)
        return .success(bytes)
    }

    /// A client that tries until it has all of it.
    private static func download(_ bytes: [UInt8], _ scene: UploadScene) async {
        let path = "/v1/repos/files/blobs/\(SHA256.digest(of: bytes).hex)"
        for _ in 0..<20 {
            let answer = await scene.send("GET", path)
            guard answer.status == 200 else {
                #expect(answer.status == 503, "\(answer)")
                continue
            }
            #expect(answer.announced == bytes.count && bytes.starts(with: answer.body))
            if answer.failure == nil {
                #expect(answer.body == bytes)
                return
            }
        }
        Issue.record("a download of \(bytes.count) bytes failed twenty times")
    }
}

/// Where a client gave up, and why.
private struct GivenUp: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

extension Result<[UInt8], GivenUp> {
    fileprivate var reason: String? { if case .failure(let end) = self { end.reason } else { nil } }
}
