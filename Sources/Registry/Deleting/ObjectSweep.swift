// Objects that nothing needs any more, and those that dead processes left: handed over in a transaction, then deleted.
// Rules: architecture, section 6 (Delete): an object is deleted by its own key only, never by its digest.

package import Domain
package import Persistence
package import Storage
package import Threads

package struct ObjectSweep: Sendable {
    /// Without a sign of life for so long, a process is dead. In seconds; signs are given six times as often.
    package static let heartbeatTimeout: Int64 = 60
    private static let batch = 100

    private let database: any Database
    private let storage: any BlobStorage
    private let clock: WallClock

    package init(database: any Database, storage: any BlobStorage, clock: WallClock) {
        self.database = database
        self.storage = storage
        self.clock = clock
    }

    /// Gives a sign of life of this process.
    package func recordHeartbeat(_ instance: UniqueID) async throws {
        try await self.database.transaction { [now = self.clock.now()] transaction in
            try InstanceStore.recordHeartbeat(instance, at: now, transaction)
        }
    }

    /// Records that this process has ended, in order. What it had staged is swept like a dead process's.
    package func recordEnd(of instance: UniqueID) async throws {
        try await self.database.transaction { try InstanceStore.forget(instance, $0) }
    }

    /// Where only one process can be there (SQLite), every other one is dead.
    package func removeOthers(than instance: UniqueID) async throws {
        let now = self.clock.now()
        try await self.database.transaction { try InstanceStore.forgetOthers(than: instance, at: now, $0) }
    }

    /// Takes over what dead processes had staged, and deletes what is due.
    ///
    /// - Returns: how many objects were deleted.
    @discardableResult
    package func run() async throws -> Int {
        let now = self.clock.now()
        let cutoff = now + -Self.heartbeatTimeout
        while try await self.database.transaction({
            $0.allowReserve()
            return try StagedObjectStore.abandon(deadSince: cutoff, at: now, limit: Self.batch, $0)
        }) == Self.batch {}
        try await self.database.transaction { try InstanceStore.forget(seenBefore: cutoff, $0) }
        var deleted = 0
        while true {
            let objects = try await self.database.lookup { try DeadObjectStore.due(at: now, limit: Self.batch, $0) }
            if objects.isEmpty { return deleted }
            deleted += try await self.delete(objects)
        }
    }

    /// - Throws: `StorageFault.foreign` if the storage is not this installation's: its objects are not to be deleted.
    private func delete(_ objects: [DeadObject]) async throws -> Int {
        do {
            try await self.storage.check()
        } catch StorageFault.foreign(let text) {
            throw StorageFault.foreign(text)
        } catch {}  // each object reports its own failure
        var (done, failed): ([StorageKey], [StorageKey]) = ([], [])
        for object in objects {
            do {
                if let upload = object.upload {
                    try await self.storage.abort(MultipartUpload(key: object.key, id: upload))
                }
                try await self.storage.delete(object.key)
                done.append(object.key)
            } catch is StorageFault {
                failed.append(object.key)
            }
        }
        let (removed, postponed, next) = (done, failed, self.clock.now() + 60)
        try await self.database.transaction { transaction in
            transaction.allowReserve()
            try DeadObjectStore.remove(removed, transaction)
            try DeadObjectStore.postpone(postponed, until: next, transaction)
        }
        return done.count
    }
}
