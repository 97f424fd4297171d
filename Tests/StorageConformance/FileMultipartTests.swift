// What a directory promises of parts beyond what every storage does. Rules: HTTP contract, section 9, rows 19 and 33.

import Cryptography
import Domain
import Filesystem
import Foundation
import HTTP
import Storage
import Synchronization
import TestSupport
import Testing

@Suite struct FileMultipartTests {
    @Test func `ten thousand small parts in any order make one object`() async throws {
        try await StorageFixture.file.with { storage in
            let key = StorageKey.test()
            let upload = try await storage.beginMultipart(key)
            let bytes = Pattern.bytes(10_000 * 7)
            let parts = try await withThrowingTaskGroup(of: [StoredPart].self) { group in
                for lane in 0..<32 {
                    group.addTask {
                        var parts: [StoredPart] = []
                        for number in (1...10_000).reversed() where number % 32 == lane {
                            let part = Array(bytes[(number - 1) * 7..<number * 7])
                            parts.append(try await storage.putPart(number, of: upload, RequestBody(part), limit: 7))
                        }
                        return parts
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }.sorted { $0.number < $1.number }
            }
            #expect(try await storage.parts(of: upload) == parts)
            try await storage.complete(upload, parts)
            #expect(try await storage.get(key, 0..<bytes.count, of: bytes.count) == bytes)
            #expect(try await storage.keys() == [key])
        }
    }

    @Test func `parts outlive a restart, and a part's tag is its SHA-256`() async throws {
        try await TemporaryDirectory.with { path in
            let id = UniqueID.random()
            let (key, bytes) = (StorageKey.test(), Pattern.bytes(700_000))
            let before = try FilesystemStorage(root: path, installation: id, threads: 2)
            let upload = try await before.beginMultipart(key)
            let part = try await before.putPart(2, of: upload, RequestBody(bytes), limit: bytes.count)
            #expect(part.entityTag == SHA256.digest(of: bytes).hex)
            let after = try FilesystemStorage(root: path, installation: id, threads: 2)
            #expect(try await after.parts(of: upload) == [part])
            try await after.complete(upload, [part])
            try await before.complete(upload, [part])  // once more, as after a lost answer
            #expect(try await before.get(key, 0..<bytes.count, of: bytes.count) == bytes)
        }
    }

    @Test func `a part that is too large, or cut off, leaves the one before`() async throws {
        try await StorageFixture.file.with { storage in
            let upload = try await storage.beginMultipart(.test())
            let part = try await storage.putPart(1, of: upload, RequestBody([1, 2, 3]), limit: 3)
            #expect(
                await faultKind { try await storage.putPart(1, of: upload, RequestBody([1, 2, 3, 4]), limit: 3) }
                    == "tooLarge")
            for count in [3, 3_000_000] {
                let unknown = RequestBody(length: nil, source: CutBody(after: count))
                #expect(
                    await faultKind { try await storage.putPart(1, of: upload, unknown, limit: 2) } == "tooLarge")
                let cut = RequestBody(length: 4_000_000, source: CutBody(after: count))
                #expect(
                    await faultKind { try await storage.putPart(1, of: upload, cut, limit: .max) } == "disconnected")
            }
            #expect(try await storage.parts(of: upload) == [part])
            try await storage.abort(upload)
            #expect(try await storage.keys() == [])
        }
    }

    @Test func `unfinished objects and uploads are listed and can be deleted`() async throws {
        try await TemporaryDirectory.with { path in
            let storage = try FilesystemStorage(root: path, installation: .random(), threads: 2)
            let (written, parts) = (StorageKey.test("1"), StorageKey.test("2"))
            let writer = try await storage.begin(written, length: nil)
            for _ in 0..<4 { try await writer.write(Pattern.bytes(1 << 20)) }
            let upload = try await storage.beginMultipart(parts)
            _ = try await storage.putPart(1, of: upload, RequestBody([1]), limit: 1)
            #expect(try await storage.keys(page: 1) == [written, parts])
            for key in [written, parts] { try await storage.delete(key) }
            #expect(await faultKind { try await writer.finish() } == "missing")
            #expect(
                await faultKind { try await storage.putPart(2, of: upload, RequestBody([1]), limit: 1) } == "missing")
            #expect(try await storage.keys() == [])
            let left = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
            #expect(
                left.sorted() == [
                    "installation", "objects", "objects/staging", "objects/staging/test",
                    "objects/staging/test/+1", "objects/staging/test/+2",
                ])
        }
    }
}

/// Sends zeros, then the client is gone.
private final class CutBody: BodySource {
    private let left: Mutex<Int>

    init(after count: Int) { self.left = Mutex(count) }

    func nextChunk() async throws -> [UInt8]? {
        try self.left.withLock { left in
            guard left > 0 else { throw HTTPFault.disconnected }
            let count = min(left, 100_000)
            left -= count
            return [UInt8](repeating: 0, count: count)
        }
    }
}
