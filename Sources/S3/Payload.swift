// What a request carries. It can be sent again, and its SHA-256 is known before it is sent: S3 checks it.

import Cryptography
import Domain
import Glibc
import HTTP
import HTTPClient
import Storage
import Synchronization
import Threads

enum Payload: Sendable {
    case bytes([UInt8])
    case file(SpooledFile)

    /// In bytes.
    var length: Int {
        switch self {
        case .bytes(let bytes): bytes.count
        case .file(let file): file.length
        }
    }

    /// The SHA-256, in hexadecimal digits.
    var digest: String {
        switch self {
        case .bytes(let bytes): SHA256.digest(of: bytes).hex
        case .file(let file): file.digest
        }
    }

    var body: ClientRequest.Body {
        switch self {
        case .bytes(let bytes): bytes.isEmpty ? .none : .bytes(bytes)
        case .file(let file): .stream(RequestBody(length: file.length, source: file.reader()))
        }
    }
}

/// A file without a name, which is gone when the last who has it lets go.
final class SpooledFile: Sendable {
    private let file: OpenFile
    private let pool: BlockingPool
    /// In bytes.
    let length: Int
    let digest: String

    init(_ file: OpenFile, _ pool: BlockingPool, length: Int, digest: String) {
        self.file = file
        self.pool = pool
        self.length = length
        self.digest = digest
    }

    func reader() -> any BodySource { Reader(self) }

    private final class Reader: BodySource {
        private let spooled: SpooledFile
        private let offset = Mutex(0)

        init(_ spooled: SpooledFile) { self.spooled = spooled }

        func nextChunk() async throws -> [UInt8]? {
            try Task.checkCancellation()
            let offset = self.offset.withLock { $0 }
            let count = min(128 * 1024, self.spooled.length - offset)
            guard count > 0 else { return nil }
            let chunk = try await self.spooled.pool.run { try self.spooled.read(offset, count) }
            self.offset.withLock { $0 += chunk.count }
            return chunk
        }
    }

    private func read(_ offset: Int, _ count: Int) throws -> [UInt8] {
        var failure: Int32 = 0
        let chunk = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            let read = unsafe pread(self.file.descriptor, buffer.baseAddress, count, off_t(offset))
            if read <= 0 { failure = read < 0 ? errno : EIO }
            filled = max(0, read)
        }
        guard failure == 0 else { throw StorageFault.unavailable("read from the spool: error \(failure)") }
        return chunk
    }
}
