// What no row knows is found in the store and goes, and nothing else does. Rules: architecture, section 6 (Delete).

import Cryptography
import Domain
import Persistence
import Registry
import Storage
import TestSupport
import Testing
import Threads

@Suite struct StorageSweepTests {
    private static let age = StorageSweep.safeAge(sessionLifetime: UploadScene.sessionLifetime)

    private static func sweep(_ scene: UploadScene, page: Int = 1000, pages: Int = 10) -> StorageSweep {
        StorageSweep(
            database: scene.database, storage: scene.storage, clock: scene.clock, age: self.age, pageLength: page,
            pages: pages)
    }

    @Test(arguments: Ground.all)
    func `objects and uploads that no row knows go when they are old, and nothing else`(
        ground: Ground
    ) async throws {
        try await ground.withScene { scene in
            let kept = Array("kept".utf8)
            try await scene.upload(kept)
            let object = StorageKey.test("1")
            let parts = StorageKey.test("2")
            let empty = StorageKey.test("3")
            try await scene.storage.put([1, 2, 3], object)
            let upload = try await scene.storage.beginMultipart(parts)
            _ = try await ground.storage.send([4], 1, of: upload, to: scene.storage)
            _ = try await scene.storage.beginMultipart(empty)
            let unfinished = [1, 2].map { StorageKey.test("written-\($0)") }  // recorded by somebody who is at work
            try await scene.database.transaction { [now = scene.clock.now()] transaction in
                try StagedObjectStore.add(unfinished, owner: .random(), at: now + 1_000_000, transaction)
            }
            for key in unfinished { try await scene.storage.put([9], key) }
            let foreign = try #require(StorageKey("somebody/else"))  // no key of ours begins so
            try await scene.storage.put([8], foreign)

            scene.pass(seconds: Self.age - 600)
            #expect(try await Self.sweep(scene).run().unknown == [])
            scene.pass(seconds: 1200)
            // A session of now is young, whatever the store says.
            let report = try await Self.sweep(scene).run()
            #expect(Set(report.unknown) == [object, parts, empty] && report.isComplete)
            #expect(report.looked >= 6)
            try await ObjectSweep(database: scene.database, storage: scene.storage, clock: scene.clock).run()
            let left = try await scene.storage.keys()
            #expect(left.count == 4 && Set(unfinished + [foreign]).isSubset(of: left))
            #expect(try await Self.sweep(scene).run().unknown == [])
            let digest = SHA256.digest(of: kept).hex
            #expect(await scene.send("GET", "/v1/repos/files/blobs/\(digest)").body == kept)
        }
    }

    @Test(arguments: Ground.all)
    func `where the sweep is held it tells and deletes nothing`(ground: Ground) async throws {
        try await ground.withScene { scene in
            let key = StorageKey.test()
            try await scene.storage.put([1, 2, 3], key)
            scene.pass(seconds: Self.age + 600)
            try await scene.database.transaction { try InstallationStore.set(StorageSweep.holdName, "restored", $0) }
            let held = try await Self.sweep(scene).run()
            #expect(held.unknown == [key] && held.isHeld)
            #expect(try await scene.count("SELECT count(*) FROM dead_objects") == 0)
            try await scene.database.transaction { try InstallationStore.remove(StorageSweep.holdName, $0) }
            let freed = try await Self.sweep(scene).run()
            #expect(freed.unknown == [key] && !freed.isHeld)
            #expect(try await scene.count("SELECT count(*) FROM dead_objects") == 1)
        }
    }

    @Test(arguments: Ground.all)
    func `an upload that never ended goes from beside its blob`(ground: Ground) async throws {
        try await ground.withScene { scene in
            let kept = Array("kept".utf8)
            try await scene.upload(kept)
            let key = try #require(try await scene.storage.keys().first)
            let upload = try await scene.storage.beginMultipart(key)  // as a lost answer leaves it
            _ = try await ground.storage.send([4], 1, of: upload, to: scene.storage)
            #expect(try await scene.storage.list(after: nil, limit: 9).map(\.uploads) == [[upload]])
            scene.pass(seconds: Self.age + 600)
            let report = try await Self.sweep(scene).run()
            #expect(report.unknown == [] && report.forgotten == 1)
            #expect(try await scene.storage.list(after: nil, limit: 9).map(\.uploads) == [[]])
            let digest = SHA256.digest(of: kept).hex
            #expect(await scene.send("GET", "/v1/repos/files/blobs/\(digest)").body == kept)
        }
    }

    @Test(arguments: Ground.all)
    func `a round looks at a few pages, and the next one goes on from there`(ground: Ground) async throws {
        try await ground.withScene { scene in
            let keys = (10..<21).map { StorageKey.test("k\($0)") }
            for key in keys { try await scene.storage.put([1], key) }
            scene.pass(seconds: Self.age + 600)
            var found: [[StorageKey]] = []
            for _ in 0..<3 {
                let report = try await Self.sweep(scene, page: 2, pages: 2).run()
                found.append(report.unknown)
                #expect(report.isComplete == (found.count == 3))
            }
            #expect(found == [Array(keys[..<4]), Array(keys[4..<8]), Array(keys[8...])])
            try await ObjectSweep(database: scene.database, storage: scene.storage, clock: scene.clock).run()
            #expect(try await scene.storage.keys() == [])
        }
    }

    @Test(arguments: Engine.direct)
    func `the rows of a page's keys are found by an index`(engine: Engine) async throws {
        try await engine.withSeededDatabase { database in
            let keys = (0..<10).map { StorageKey.test("k\($0)") }
            _ = try await database.lookup { try StoredKeyStore.roles(of: keys, $0) }
            for plan in database.takePlans() { #expect(plan.fullScans.filter { $0 != "json_each" } == [], "\(plan)") }
        }
    }
}
