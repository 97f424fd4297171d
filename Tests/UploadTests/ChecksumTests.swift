// Checksums beside the SHA-256 are computed once, on first need, and kept. Rules: architecture, section 7.

import Cryptography
import Domain
import HTTP
import Persistence
import Storage
import Synchronization
import TestSupport
import Testing
import Threads

@testable import Registry

@Suite struct ChecksumTests {
    private static let bytes = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }

    private static func row(_ scene: UploadScene) async throws -> Checksums {
        let found = try await scene.database.lookup { transaction in
            try transaction.first(
                "SELECT md5, sha1, sha512 FROM blobs",
                as: { Checksums(md5: try $0[0], sha1: try $0[1], sha512: try $0[2]) })
        }
        return try #require(found)
    }

    @Test(arguments: Ground.all)
    func `the first who need them wait for one reading, which is kept`(ground: Ground) async throws {
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
                #expect(try await Self.row(scene) == Checksums())  // nobody has needed them
                let before = reads.load(ordering: .relaxed)
                let sums = BlobChecksums(database: database, storage: counting, readers: BlockingPool(threads: 1))
                let key = try #require(try await storage.keys().first)
                let file = ResolvedFile(
                    version: VersionID(.random()), path: try RelativePath(parsing: "p"),
                    digest: SHA256.digest(of: Self.bytes), length: Self.bytes.count, storageKey: key,
                    checksums: Checksums(), contentType: nil, publishedAt: scene.clock.now(),
                    settings: RepositorySettings())
                let values = try await withThrowingTaskGroup(of: (Hash.Function, String).self) { group in
                    for _ in 0..<4 {
                        for function in [Hash.Function.md5, .sha1, .sha512] {
                            group.addTask { (function, try await sums.value(function, of: file)) }
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                for (function, value) in values {
                    #expect(value == Hexadecimal.text(of: Hash.digest(function, of: Self.bytes)))
                }
                #expect(reads.load(ordering: .relaxed) - before == 1)
                let kept = try await Self.row(scene)
                #expect(kept.isComplete && kept.md5 == values.first { $0.0 == .md5 }?.1)
            }
        }
    }

    @Test(arguments: Ground.all)
    func `bytes that come again bring the checksums that were missing`(ground: Ground) async throws {
        try await ground.withScene { scene in
            let small = Array(Self.bytes.prefix(1000))
            try await scene.upload(small)
            #expect(try await Self.row(scene) == Checksums())
            let keys = StagingKeys(database: scene.database, clock: scene.clock, owner: .random())
            let received = try await Intake(storage: scene.storage, keys: keys).receive(RequestBody(small))
            let blob = try await Deduplication(
                storage: scene.storage, threads: BlockingPool(threads: 1), clock: scene.clock
            ).run(admitting: received.key) { inspection in
                try await scene.database.transaction { [now = scene.clock.now()] transaction in
                    try BlobStore.admit(
                        received.digest, length: received.length, key: received.key, checksums: received.checksums,
                        after: inspection, at: now, transaction
                    ).blob
                }
            }
            #expect(blob.checksums.isComplete)
            #expect(try await Self.row(scene) == blob.checksums)
            #expect(blob.checksums.sha1 == Hexadecimal.text(of: Hash.digest(.sha1, of: small)))
        }
    }

    @Test(arguments: Ground.all)
    func `checksums of other bytes are never kept`(ground: Ground) async throws {
        try await ground.withScene { scene in
            try await scene.upload(Self.bytes)
            let key = try #require(try await scene.storage.keys().first)
            var other = Self.bytes
            other[1_999_999] ^= 1
            try await scene.storage.delete(key)
            try await scene.storage.put(other, key)
            let sums = BlobChecksums(
                database: scene.database, storage: scene.storage, readers: BlockingPool(threads: 1))
            let file = ResolvedFile(
                version: VersionID(.random()), path: try RelativePath(parsing: "p"),
                digest: SHA256.digest(of: Self.bytes), length: Self.bytes.count, storageKey: key,
                checksums: Checksums(), contentType: nil, publishedAt: scene.clock.now(),
                settings: RepositorySettings())
            #expect(await faultKind { try await sums.value(.sha1, of: file) } == "damaged")
            #expect(try await Self.row(scene) == Checksums())
        }
    }
}
