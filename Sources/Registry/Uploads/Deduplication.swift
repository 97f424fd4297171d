// Whether an object that is stored already can stand for bytes that arrive again. A write that is acknowledged must be
// readable, so the stored object is looked at before anything new refers to it; if it is damaged, the fresh one takes
// its place, which also repairs every version that refers to it.
//
// Storage is not read inside a transaction. The transaction says which object it needs to know about
// (`UninspectedObject`), the object is inspected, and the transaction runs again. It keeps or replaces an object only
// under the key that was inspected: two uploads that repair one blob at the same time do not undo each other's work.

package import Domain
import HTTP
package import Persistence
package import Storage
package import Threads

package struct Deduplication: Sendable {
    /// In seconds: how long a storage that is expensive to read is not read again after an object was found good.
    private static let verificationLifetime: Int64 = 3600
    /// How often other writers may replace the object while it is being inspected.
    private static let tries = 5

    private let storage: any BlobStorage
    private let hashing: StoredHash
    private let threads: BlockingPool
    private let clock: WallClock

    /// - Parameter threads: read and hash.
    package init(storage: any BlobStorage, threads: BlockingPool, clock: WallClock) {
        self.storage = storage
        self.hashing = StoredHash(storage: storage, threads: threads)
        self.threads = threads
        self.clock = clock
    }

    /// Runs a transaction that admits a fresh object, and inspects what the transaction finds to be stored already.
    ///
    /// - Parameters:
    ///   - fresh: the key of the bytes that were just received.
    ///   - body: one transaction; it calls ``admit(_:length:key:checksums:after:by:at:_:)`` with what it is given.
    package func run<Value: Sendable>(
        admitting fresh: StorageKey, _ body: (ObjectInspection?) async throws -> Value
    ) async throws -> Value {
        var inspection: ObjectInspection?
        for _ in 0..<Self.tries {
            do {
                return try await body(inspection)
            } catch let uninspected as UninspectedObject {
                inspection = try await self.inspect(
                    uninspected.blob, verifiedAt: uninspected.verifiedAt, against: fresh)
            }
        }
        throw DatabaseFault.contention("the object of a blob was replaced \(Self.tries) times while it was inspected")
    }

    /// Makes a blob of received bytes, and records a repair in the audit log.
    ///
    /// - Throws: `conflict` if the writer was taken for dead; `UninspectedObject`, for ``run(admitting:_:)``.
    package static func admit(
        _ digest: BlobDigest, length: Int, key: StorageKey, checksums: Checksums, after inspection: ObjectInspection?,
        by caller: Caller, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> Blob {
        let admitted = try BlobStore.admit(
            digest, length: length, key: key, checksums: checksums, after: inspection, at: now, transaction)
        if let repair = admitted.repair {
            try AuditLog.append(
                AuditEntry(
                    "blob.repaired", on: "blob", digest,
                    [
                        "damage": repair.damage.rawValue, "damagedObject": repair.damagedKey.text,
                        "object": key.text, "length": String(length),
                    ]), by: caller, at: now, transaction)
        }
        return admitted.blob
    }

    // MARK: - Inspecting

    /// Looks at a blob's stored object.
    ///
    /// - Parameters:
    ///   - verifiedAt: when its bytes were last read and found good.
    ///   - fresh: the same bytes, just received; nil if they were not sent.
    /// - Throws: storage faults, also if the storage is not this installation's: then nothing is known of the object.
    package func inspect(
        _ blob: Blob, verifiedAt: Timestamp?, against fresh: StorageKey?
    ) async throws -> ObjectInspection {
        let now = self.clock.now()
        let inspection = try await self.inspect(blob, verifiedAt: verifiedAt, against: fresh, at: now)
        if inspection.damage != nil { try await self.storage.check() }
        return inspection
    }

    private func inspect(
        _ blob: Blob, verifiedAt: Timestamp?, against fresh: StorageKey?, at now: Timestamp
    ) async throws -> ObjectInspection {
        let key = blob.storageKey
        self.storage.forget(key)
        guard let length = try await self.storage.length(of: key) else {
            return ObjectInspection(key: key, damage: .missing, verifiedAt: nil)
        }
        guard length == blob.length else {
            return ObjectInspection(key: key, damage: .wrongLength, verifiedAt: nil)
        }
        if !self.storage.isReadingCheap, let verifiedAt, verifiedAt <= now,
            now < verifiedAt + Self.verificationLifetime
        {
            return ObjectInspection(key: key, damage: nil, verifiedAt: nil)
        }
        let damage = try await self.damage(of: blob, against: fresh)
        return ObjectInspection(key: key, damage: damage, verifiedAt: damage == nil ? now : nil)
    }

    /// Reads the object's bytes.
    private func damage(of blob: Blob, against fresh: StorageKey?) async throws -> ObjectDamage? {
        do {
            if let fresh, try await self.isEqual(blob, to: fresh) { return nil }
            // The digest decides: if the two differ, the fresh object may be the damaged one.
            let digest = try await self.hashing.digest(of: blob.storageKey, length: blob.length)
            return digest == blob.digest ? nil : .wrongBytes
        } catch StorageFault.missing {
            return .missing
        } catch StorageFault.damaged {
            return .wrongLength
        } catch is FileReader.Failure {
            return .wrongBytes
        }
    }

    /// Whether the two are files with the same bytes. Comparing them costs less than hashing one.
    private func isEqual(_ blob: Blob, to fresh: StorageKey) async throws -> Bool {
        guard self.storage.isReadingCheap, blob.length > 0 else { return false }
        guard case .file(let stored) = try await self.storage.open(blob.storageKey, 0..<blob.length, of: blob.length),
            case .file(let received) = try await self.storage.open(fresh, 0..<blob.length, of: blob.length)
        else { return false }
        let comparison = FileComparison(stored, received)
        while true {
            let step = try await self.threads.run {
                for _ in 0..<32 {  // turns are short, so that large objects do not hold up small ones
                    let step = try comparison.next()
                    guard case .equal = step else { return step }
                }
                return .equal
            }
            switch step {
            case .equal: try Task.checkCancellation()
            case .different: return false
            case .end: return true
            }
        }
    }
}
