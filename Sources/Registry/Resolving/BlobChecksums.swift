// Checksums beside the SHA-256: computed on first need, also for bytes that were there before, and kept. Source:
// architecture, section 7.

package import Cryptography
package import Domain
import HTTP
package import Persistence
package import Storage
package import Threads

package struct BlobChecksums: Sendable {
    private let database: any Database
    private let storage: any BlobStorage
    private let readers: BlockingPool

    package init(database: any Database, storage: any BlobStorage, readers: BlockingPool) {
        (self.database, self.storage, self.readers) = (database, storage, readers)
    }

    /// In lower-case hexadecimal digits.
    ///
    /// - Throws: storage faults; `StorageFault.damaged` where the bytes aren't those of the digest any more.
    package func value(_ function: Hash.Function, of file: ResolvedFile) async throws -> String {
        if function == .sha256 { return file.digest.hex }
        if let known = file.checksums[function] { return known }
        let computed = try await self.compute(file)
        try await self.database.transaction { try BlobStore.keep(computed, of: file.digest, $0) }
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
