// Stored bytes that aren't what they should be are never a complete answer. Rules: architecture, I1; the setting
// `storage.verifyOnRead`.

import API
import Cryptography
import Domain
import HTTP
import Storage
import Synchronization
import TestSupport
import Testing

@Suite struct VerificationTests {
    /// Several of the chunks in which files are hashed, and one that isn't full.
    private static let bytes = (0..<600_001).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    private static let digest = SHA256.digest(of: bytes).hex
    private static let path = "/v1/repos/files/blobs/\(digest)"

    /// An uploaded blob whose object becomes `stored`.
    private static func spoil(_ scene: UploadScene, _ stored: [UInt8]?) async throws {
        try await scene.upload(self.bytes)
        let key = try #require(try await scene.storage.keys().first)
        try await scene.storage.delete(key)
        if let stored { try await scene.storage.put(stored, key) }
    }

    @Test(arguments: Ground.all, [0, 300_000, 600_000])
    func `a flipped bit breaks the connection where reads are verified`(ground: Ground, place: Int) async throws {
        try await ground.withScene(verifies: true) { scene in
            var flipped = Self.bytes
            flipped[place] ^= 0x10
            try await Self.spoil(scene, flipped)
            let answer = await scene.send("GET", Self.path)
            #expect(answer.status == 200 && answer.announced == Self.bytes.count)
            #expect(answer.failure != nil && answer.body.count < Self.bytes.count)
            let failure = try #require(scene.failures.all.first)
            #expect(failure.cause == .digest && failure.digest.hex == Self.digest)
            #expect(failure.correlation?.description == answer[header: "x-correlation-id"])
            // A whole range is the whole object; of a part nothing can be said.
            #expect(await scene.send("GET", Self.path, [("Range", "bytes=0-")]).failure != nil)
            #expect(await scene.send("GET", Self.path, [("Range", "bytes=1-")]).failure == nil)
            #expect(await scene.send("HEAD", Self.path).status == 200)
            #expect(scene.failures.causes == [.digest, .digest])
        }
    }

    @Test(arguments: Ground.all)
    func `right bytes pass the verification`(ground: Ground) async throws {
        try await ground.withScene(verifies: true) { scene in
            for length in [1, 262_144, 262_145, Self.bytes.count] {
                let bytes = Array(Self.bytes.prefix(length))
                try await scene.upload(bytes)
                let answer = await scene.send("GET", "/v1/repos/files/blobs/\(SHA256.digest(of: bytes).hex)")
                #expect(answer.failure == nil && answer.body == bytes, "\(length)")
            }
            #expect(scene.failures.causes == [])
        }
    }

    @Test(arguments: Ground.all, [false, true])
    func `an object of another length is refused before the head`(ground: Ground, verifies: Bool) async throws {
        try await ground.withScene(verifies: verifies) { scene in
            for stored in [Array(Self.bytes.dropLast()), Self.bytes + [0]] {
                try await Self.spoil(scene, stored)
                for range in [[], [("Range", "bytes=0-9")], [("Range", "bytes=-9")]] {
                    let answer = await scene.send("GET", Self.path, range)
                    #expect(answer.status == 503 && answer["error"] == "service_unavailable", "\(answer.status)")
                }
                let key = try #require(try await scene.storage.keys().first)
                try await scene.storage.delete(key)
                try await scene.storage.put(Self.bytes, key)  // mended
                #expect(await scene.send("GET", Self.path).body == Self.bytes)
            }
            #expect(scene.failures.causes == Array(repeating: .length, count: 6))
        }
    }

    @Test(arguments: Ground.all)
    func `a missing object is told to the log`(ground: Ground) async throws {
        try await ground.withScene { scene in
            try await Self.spoil(scene, nil)
            let answer = await scene.send("GET", Self.path)
            #expect(answer.status == 404 && answer["error"] == "object_not_found")
            #expect(scene.failures.causes == [.missing])
        }
    }

    @Test(arguments: Ground.all, [false, true])
    func `bytes that end early end the connection`(ground: Ground, verifies: Bool) async throws {
        try await ground.engine.withDatabase { database in
            try await ground.storage.with { storage in
                let isShort = Atomic(false)
                let short = HookedStorage(
                    storage,
                    opening: { bytes in
                        guard isShort.load(ordering: .relaxed) else { return bytes }
                        return .stream(ObjectStream(ShortSource(Self.bytes)))
                    })
                let scene = try await UploadScene(database, short, ground.storage, .generous, verifies: verifies)
                try await scene.upload(Self.bytes)
                isShort.store(true, ordering: .relaxed)
                let answer = await scene.send("GET", Self.path)
                #expect(answer.announced == Self.bytes.count && answer.body.count < Self.bytes.count)
                #expect(answer.failure != nil)
                #expect(scene.failures.causes == [.shortRead])
            }
        }
    }
}

/// Ends with a fault, as a storage's stream does that has too few bytes.
private final class ShortSource: BodySource {
    private let left: Mutex<[UInt8]>

    init(_ bytes: [UInt8]) { self.left = Mutex(bytes) }

    func nextChunk() async throws -> [UInt8]? {
        try self.left.withLock { left in
            guard left.count > 100_000 else { throw StorageFault.damaged("ended early") }
            defer { left.removeFirst(100_000) }
            return Array(left.prefix(100_000))
        }
    }
}
