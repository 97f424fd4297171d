// Checksums beside the SHA-256: computed on first need, also for bytes that were there before, and kept. Source:
// architecture, section 7.

package import Cryptography
package import Domain
import HTTP
package import Persistence
package import Storage
import Synchronization
package import Threads

package struct BlobChecksums: Sendable {
    private let database: any Database
    private let storage: any BlobStorage
    private let readers: BlockingPool
    private let running = RunningComputations()

    package init(database: any Database, storage: any BlobStorage, readers: BlockingPool) {
        self.database = database
        self.storage = storage
        self.readers = readers
    }

    /// In lower-case hexadecimal digits.
    ///
    /// - Throws: storage faults; `StorageFault.damaged` where the bytes are not those of the digest any more.
    package func value(_ function: Hash.Function, of file: ResolvedFile) async throws -> String {
        if function == .sha256 { return file.digest.hex }
        if let known = file.checksums[function] { return known }
        let computed = try await self.running.value(of: file.digest) {
            let computed = try await self.compute(file)
            try await self.database.transaction { try BlobStore.keep(computed, of: file.digest, $0) }
            return computed
        }
        return computed[function] ?? ""
    }

    /// All three in one pass, and the SHA-256 again: a checksum of other bytes is never kept.
    private func compute(_ file: ResolvedFile) async throws -> Checksums {
        var digests = Digests([.md5, .sha1, .sha512])
        if file.length > 0 {
            switch try await self.storage.open(file.storageKey, 0..<file.length, of: file.length) {
            case .file(let region):
                let reader = FileReader(region)
                while let chunk = try await self.readers.run({ try reader.next() }) { digests.update(chunk.span) }
            case .stream(let stream):
                for try await chunk in stream { digests.update(chunk.span) }
            }
        }
        let (digest, checksums) = digests.finish()
        guard digest == file.digest else {
            throw StorageFault.damaged("\(file.storageKey) has the digest \(digest), not \(file.digest)")
        }
        return checksums
    }
}

/// Those who need a blob's checksums at the same time read it once, not once each.
private final class RunningComputations: Sendable {
    private typealias Waiter = CheckedContinuation<Checksums?, Never>

    /// Who waits for the one who computes, by digest.
    private let waiters = Mutex<[BlobDigest: [Waiter]]>([:])

    func value(
        of digest: BlobDigest, _ compute: () async throws -> Checksums
    ) async throws -> Checksums {
        while true {
            let isFirst = self.waiters.withLock { waiters in
                if waiters[digest] != nil { return false }
                waiters[digest] = []
                return true
            }
            if isFirst {
                do {
                    let checksums = try await compute()
                    self.end(digest, with: checksums)
                    return checksums
                } catch {
                    self.end(digest, with: nil)
                    throw error
                }
            }
            let found: Checksums? = await withCheckedContinuation { continuation in
                let isLate = self.waiters.withLock { waiters in
                    guard waiters[digest] != nil else { return true }
                    waiters[digest]?.append(continuation)
                    return false
                }
                if isLate { continuation.resume(returning: nil) }
            }
            if let found { return found }
            try Task.checkCancellation()  // otherwise the next turn: the first caller's failure may have been its own
        }
    }

    private func end(_ digest: BlobDigest, with checksums: Checksums?) {
        let waiters = self.waiters.withLock { $0.removeValue(forKey: digest) ?? [] }
        for waiter in waiters { waiter.resume(returning: checksums) }
    }
}

extension Checksums {
    package subscript(function: Hash.Function) -> String? {
        switch function {
        case .md5: self.md5
        case .sha1: self.sha1
        case .sha512: self.sha512
        case .sha256: nil
        }
    }
}
