// A disk that is full, and one that has room again.

import Domain
import Filesystem
import Foundation
import HTTP
import Storage
import TestSupport
import Testing

@Suite(.enabled(if: getuid() == 0, "mounting takes root"))
struct FullDiskTests {
    /// Calls `body` with the path of a file system of 8 MiB; not at all where mounting isn't allowed.
    private func onSmallDisk(_ body: (String) async throws -> Void) async throws {
        try await TemporaryDirectory.with { path in
            guard unsafe mount("tmpfs", path, "tmpfs", 0, "size=8m") == 0 else { return }
            defer { unsafe umount2(path, Int32(MNT_DETACH)) }
            try await body(path)
        }
    }

    @Test func `what doesn't fit is refused, leaves nothing, and disturbs nothing`() async throws {
        try await self.onSmallDisk { path in
            let storage = try FilesystemStorage(root: path, installation: .random(), threads: 2)
            let (kept, bytes) = (StorageKey.test("kept"), Pattern.bytes(3 << 20))
            try await storage.put(bytes, kept)

            // Announced: refused before much is written. Not announced: when the disk is full.
            #expect(await faultKind { try await storage.put(Pattern.bytes(9 << 20), .test("a")) } == "full")
            let writer = try await storage.begin(.test("b"), length: nil)
            #expect(
                await faultKind {
                    for _ in 0..<10 { try await writer.write(Pattern.bytes(1 << 20)) }
                    try await writer.finish()
                } == "full")
            await writer.discard()
            let upload = try await storage.beginMultipart(.test("c"))
            let body = RequestBody(Pattern.bytes(9 << 20))
            #expect(await faultKind { try await storage.putPart(1, of: upload, body, limit: .max) } == "full")
            #expect(try await storage.parts(of: upload).isEmpty)

            // Parts fit, but not beside the object that they make: they stay, and can be completed once there is room.
            let halves = try await [1, 2].asyncMap { number in
                try await storage.putPart(number, of: upload, RequestBody(Pattern.bytes(2 << 20)), limit: .max)
            }
            #expect(await faultKind { try await storage.complete(upload, halves) } == "full")
            #expect(try await storage.keys() == [StorageKey.test("c"), kept])
            #expect(try await storage.get(kept, 0..<bytes.count, of: bytes.count) == bytes)
            try await storage.check()

            try await storage.delete(kept)
            try await storage.complete(upload, halves)
            #expect(try await storage.length(of: .test("c")) == 4 << 20)
            try await storage.put(Pattern.bytes(3 << 20), .test("d"))
            #expect(try await storage.keys() == [StorageKey.test("c"), StorageKey.test("d")])
        }
    }
}

extension Array {
    fileprivate func asyncMap<Value>(_ body: (Element) async throws -> Value) async throws -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await body(element)) }
        return values
    }
}
