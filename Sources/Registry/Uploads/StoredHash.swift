// Hashing stored bytes, on dedicated threads: one chunk is hashed while the next one comes. Rules: architecture, I1, I6.

package import Cryptography
package import Domain
import HTTP
package import Storage
import Synchronization
package import Threads

package struct StoredHash: Sendable {
    private let storage: any BlobStorage
    private let threads: BlockingPool

    package init(storage: any BlobStorage, threads: BlockingPool) {
        self.storage = storage
        self.threads = threads
    }

    /// - Parameter length: the object's, in bytes.
    /// - Throws: storage faults; `CancellationError`.
    package func digest(of key: StorageKey, length: Int) async throws -> BlobDigest {
        try await self.digests(of: key, length: length, []).0
    }

    /// The SHA-256, and others in the same pass.
    package func digests(
        of key: StorageKey, length: Int, _ functions: Set<Hash.Function>
    ) async throws -> (BlobDigest, Checksums) {
        let running = RunningDigests(functions)
        guard length > 0 else { return running.finish() }
        switch try await self.storage.open(key, 0..<length, of: length) {
        case .file(let region):
            let reader = FileReader(region)
            while try await self.threads.run({
                for _ in 0..<8 {  // turns are short, so that large objects do not delay small ones
                    guard let chunk = try reader.next() else { return false }
                    running.update(chunk)
                }
                return true
            }) { try Task.checkCancellation() }
        case .stream(let stream):
            let chunks = stream.makeAsyncIterator()
            var next = try await chunks.next()
            while let chunk = next {
                async let hashed: Void = self.threads.run { running.update(chunk) }
                next = try await chunks.next()
                try await hashed
                try Task.checkCancellation()
            }
        }
        return running.finish()
    }
}

/// Hashes that are fed on threads of a pool, one chunk after the other.
private final class RunningDigests: Sendable {
    private let digests: Mutex<Digests?>

    init(_ functions: Set<Hash.Function>) { self.digests = Mutex(Digests(functions)) }

    func update(_ chunk: [UInt8]) { self.digests.withLock { $0?.update(chunk.span) } }

    func finish() -> (BlobDigest, Checksums) {
        self.digests.withLock { $0.take()?.finish() ?? (.ofNothing, Checksums()) }
    }
}
