// What every blob storage promises of objects: the comments of `BlobStorage`; architecture, I1, I6, I7.

import Domain
import HTTP
import Storage
import TestSupport
import Testing

@Suite struct ObjectTests {
    @Test(arguments: StorageFixture.all, [0, 1, 4096, 5 << 20 - 1, 5 << 20, 5 << 20 + 1])
    func `what was written is read`(fixture: StorageFixture, length: Int) async throws {
        try await fixture.with { storage in
            let (key, bytes) = (StorageKey.test(), Pattern.bytes(length))
            try await storage.put(bytes, key)
            #expect(try await storage.length(of: key) == length)
            if length > 0 {
                #expect(try await storage.get(key, 0..<length, of: length) == bytes)
                #expect(try await storage.get(key, 0..<length, of: length) == bytes)
            }
        }
    }

    @Test(arguments: StorageFixture.all)
    func `a range is read alone`(fixture: StorageFixture) async throws {
        try await fixture.with { storage in
            let (key, bytes) = (StorageKey.test(), Pattern.bytes(300_000))
            try await storage.put(bytes, key)
            for range in [0..<1, 299_999..<300_000, 1..<299_999, 65_535..<65_537, 0..<300_000] {
                #expect(try await storage.get(key, range, of: bytes.count) == Array(bytes[range]))
            }
        }
    }

    @Test(arguments: StorageFixture.all)
    func `an unfinished object can't be read, and a discarded one leaves nothing`(
        fixture: StorageFixture
    ) async throws {
        try await fixture.with { storage in
            for length in [0, 10, 3 << 20, 20 << 20] {
                let key = StorageKey.test()
                let writer = try await storage.begin(key, length: nil)
                try await writer.write(Pattern.bytes(length))
                #expect(try await storage.length(of: key) == nil)
                #expect(await faultKind { try await storage.get(key, 0..<1, of: 1) } == "missing")
                await writer.discard()
                #expect(try await storage.length(of: key) == nil)
            }
            #expect(try await storage.keys() == [])
        }
    }

    @Test(arguments: StorageFixture.all)
    func `a missing object is missing`(fixture: StorageFixture) async throws {
        try await fixture.with { storage in
            let key = StorageKey.test()
            let length = try await storage.length(of: key)
            #expect(length == nil)
            #expect(await faultKind { try await storage.get(key, 0..<1, of: 1) } == "missing")
        }
    }

    @Test(arguments: StorageFixture.all)
    func `an object of another length than its row's is never sent`(fixture: StorageFixture) async throws {
        try await fixture.with { storage in
            let key = StorageKey.test()
            try await storage.put(Pattern.bytes(1000), key)
            for length in [999, 1001, 5000] {
                #expect(await faultKind { try await storage.get(key, 0..<500, of: length) } == "damaged")
            }
            #expect(try await storage.get(key, 0..<500, of: 1000) == Array(Pattern.bytes(1000)[..<500]))
        }
    }

    @Test(arguments: StorageFixture.all)
    func `deleting twice is the same as deleting once`(fixture: StorageFixture) async throws {
        try await fixture.with { storage in
            let key = StorageKey.test()
            try await storage.put(Pattern.bytes(100), key)
            _ = try await storage.get(key, 0..<100, of: 100)
            for _ in 0..<2 {
                try await storage.delete(key)
                #expect(try await storage.length(of: key) == nil)
                #expect(await faultKind { try await storage.get(key, 0..<100, of: 100) } == "missing")
            }
            #expect(try await storage.keys() == [])
        }
    }

    @Test(arguments: StorageFixture.all)
    func `objects written at the same time don't mix`(fixture: StorageFixture) async throws {
        try await fixture.with { storage in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<64 {
                    group.addTask {
                        let (key, bytes) = (StorageKey.test(), Pattern.bytes(1000 * index + 1, seed: UInt64(index)))
                        try await storage.put(bytes, key, chunk: 997)
                        let read = try await storage.get(key, 0..<bytes.count, of: bytes.count)
                        #expect(read == bytes)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await storage.keys().count == 64)
        }
    }

    @Test(arguments: StorageFixture.all)
    func `pages come in the order of keys`(fixture: StorageFixture) async throws {
        try await fixture.with { storage in
            let names = [
                "a", "a-b", "a.b", "a/x", "a/xy", "a/xyz", "a/xyz/deep/er", "ab", "abc", "abc/1", "abd", "a_b", "B/c",
                "9", "staging/0123/repo/0f", "staging/0123/repo/0f0", "staging/0123/repo/f0", "staging/0123/repo-1/f0",
            ]
            let keys = names.compactMap { StorageKey($0) }
            for key in keys.shuffled() { try await storage.put([1, 2, 3], key) }
            for page in [1, 2, 3, 7, 100] { #expect(try await storage.keys(page: page) == keys.sorted()) }
            for (index, key) in keys.sorted().enumerated() {
                let next = try await storage.list(after: key, limit: 1)
                #expect(next.first?.key == (index + 1 < keys.count ? keys.sorted()[index + 1] : nil))
                #expect(next.allSatisfy { $0.length == 3 })
            }
        }
    }
}
