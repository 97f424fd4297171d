// What every blob storage promises of uploads in parts: the comments of `BlobStorage`; HTTP contract, 3.4.

import Domain
import Storage
import TestSupport
import Testing

@Suite struct MultipartTests {
    /// The least that a part other than the last may have on S3.
    private let size = 5 << 20

    @Test(arguments: StorageFixture.all)
    func `parts make an object in the order of the list`(fixture: StorageFixture) async throws {
        try await fixture.with { storage in
            let (key, bytes) = (StorageKey.test(), Pattern.bytes(2 * size + 12_345))
            let upload = try await storage.beginMultipart(key)
            var parts: [StoredPart] = []
            for number in [3, 1, 2] {
                let part = Array(bytes[(number - 1) * size..<min(number * size, bytes.count)])
                parts.append(try await fixture.send(part, number, of: upload, to: storage))
            }
            #expect(try await storage.length(of: key) == nil)
            parts.sort { $0.number < $1.number }
            #expect(try await storage.parts(of: upload) == parts)
            try await storage.complete(upload, parts)
            #expect(try await storage.length(of: key) == bytes.count)
            #expect(try await storage.get(key, 0..<bytes.count, of: bytes.count) == bytes)
            #expect(try await storage.keys() == [key])
        }
    }

    @Test(arguments: StorageFixture.all)
    func `a part can be replaced`(fixture: StorageFixture) async throws {
        try await fixture.with { storage in
            let key = StorageKey.test()
            let upload = try await storage.beginMultipart(key)
            let old = try await fixture.send(Pattern.bytes(1000, seed: 2), 1, of: upload, to: storage)
            let new = try await fixture.send(Pattern.bytes(2000, seed: 3), 1, of: upload, to: storage)
            #expect(try await storage.parts(of: upload) == [new])
            #expect(await faultKind { try await storage.complete(upload, [old]) } == "invalidPart")
            try await storage.complete(upload, [new])
            #expect(try await storage.get(key, 0..<2000, of: 2000) == Pattern.bytes(2000, seed: 3))
        }
    }

    @Test(arguments: StorageFixture.all)
    func `a wrong entity tag or a missing part is refused, and the upload goes on`(
        fixture: StorageFixture
    ) async throws {
        try await fixture.with { storage in
            let key = StorageKey.test()
            let upload = try await storage.beginMultipart(key)
            let part = try await fixture.send(Pattern.bytes(100), 1, of: upload, to: storage)
            let wrong = StoredPart(number: 1, entityTag: String(part.entityTag.reversed()))
            #expect(await faultKind { try await storage.complete(upload, [wrong]) } == "invalidPart")
            let missing = StoredPart(number: 2, entityTag: part.entityTag)
            #expect(await faultKind { try await storage.complete(upload, [missing]) } == "invalidPart")
            #expect(try await storage.length(of: key) == nil)
            try await storage.complete(upload, [part])
            #expect(try await storage.length(of: key) == 100)
        }
    }

    @Test(arguments: StorageFixture.all)
    func `an aborted upload leaves nothing`(fixture: StorageFixture) async throws {
        try await fixture.with { storage in
            let key = StorageKey.test()
            let upload = try await storage.beginMultipart(key)
            let part = try await fixture.send(Pattern.bytes(100), 1, of: upload, to: storage)
            #expect(try await storage.keys() == [key])
            for _ in 0..<2 { try await storage.abort(upload) }
            let (completing, listing) = (
                await faultKind { try await storage.complete(upload, [part]) },
                await faultKind { try await storage.parts(of: upload) }
            )
            #expect(completing == "missing")
            #expect(listing == "missing")
            #expect(try await storage.keys() == [])
        }
    }
}
