// How often a stored object is read again for uploads of its bytes: a file each time, an object of S3 once an hour.

import Cryptography
import Domain
import Persistence
import Registry
import Storage
import Synchronization
import TestSupport
import Testing

@Suite struct VerificationLifetimeTests {
    private static let bytes = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    private static let digest = SHA256.digest(of: bytes)

    @Test(arguments: Ground.all)
    func `an object that was found good is read again after an hour, a file each time`(ground: Ground) async throws {
        try await ground.engine.withDatabase { database in
            try await ground.storage.with { storage in
                let reads = Atomic(0)
                let counting = HookedStorage(
                    storage,
                    opening: { bytes in
                        reads.add(1, ordering: .relaxed)
                        return bytes
                    })
                let scene = try await UploadScene(database, counting, ground.storage, .generous)
                try await scene.upload(Self.bytes)
                func open() async throws -> (status: Int, reads: Int) {
                    let before = reads.load(ordering: .relaxed)
                    let answer = await scene.open(Self.digest.hex, Self.bytes.count)
                    return (answer.status, reads.load(ordering: .relaxed) - before)
                }
                let isFile = ground.storage.description == "file"
                #expect(try await open() == (200, 1))
                #expect(try await open() == (200, isFile ? 1 : 0))
                scene.pass(seconds: 3500)
                #expect(try await open() == (200, isFile ? 1 : 0))
                scene.pass(seconds: 200)
                #expect(try await open() == (200, 1))
                #expect(try await open() == (200, isFile ? 1 : 0))
                // Whether it is there, and its length, are asked each time.
                let key = try #require(try await storage.keys().first)
                try await storage.delete(key)
                #expect(try await open().status == 201)
                try await storage.put(Array(Self.bytes.dropLast()), key)
                #expect(try await open().status == 201)
                // Other bytes are found when the object is read again. They are withheld then.
                try await storage.delete(key)
                try await storage.put(Self.bytes.reversed(), key)
                scene.pass(seconds: 3601)
                #expect(try await open().status == 201)
                let blocked = try await scene.count("SELECT COUNT(*) FROM blobs WHERE blocked_at IS NOT NULL")
                #expect(blocked == 1)
                try await scene.upload(Self.bytes)
                let blob = await scene.send("GET", "/v1/repos/files/blobs/\(Self.digest)")
                #expect(blob.status == 200 && blob.body == Self.bytes)
            }
        }
    }
}
