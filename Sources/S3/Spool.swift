// Where the bytes of a part wait until they are all there. S3 wants a part's length before its first byte, at least
// 5 MiB of it, and the same bytes again when an attempt fails: in memory that would be many MiB an upload (against
// architecture, I6), so that they wait in a file without a name, which mostly stays in the page cache.

import CLinux
import Cryptography
import Domain
import Glibc
import HTTP
import Storage
import Synchronization
import Threads

/// One part's bytes. Small ones never see the disk. Calls come one after the other.
final class Spool: Sendable {
    /// In bytes, that are kept in memory.
    private static let memoryLimit = 192 * 1024

    private struct State {
        var chunks: [[UInt8]] = []
        var length = 0
        var isOnDisk = false
    }

    private let pool: BlockingPool
    private let state = Mutex(State())
    private let disk: SpoolDisk
    private let behind: WriteBehind

    /// - Parameter directory: where the file is.
    init(_ directory: String, _ pool: BlockingPool) {
        let disk = SpoolDisk(directory)
        self.pool = pool
        self.disk = disk
        self.behind = WriteBehind(pool) { try disk.append($0) }
    }

    /// In bytes.
    var length: Int { self.state.withLock(\.length) }

    func append(_ bytes: [UInt8]) async throws {
        let overflow: [[UInt8]] = self.state.withLock { state in
            state.length += bytes.count
            if state.isOnDisk { return [bytes] }
            state.chunks.append(bytes)
            guard state.length > Self.memoryLimit else { return [] }
            defer { (state.isOnDisk, state.chunks) = (true, []) }
            return state.chunks
        }
        for chunk in overflow { try await self.behind.write(chunk) }
    }

    /// All that was appended.
    func seal() async throws -> Payload {
        let (isOnDisk, chunks, length) = self.state.withLock { ($0.isOnDisk, $0.chunks, $0.length) }
        guard isOnDisk else { return .bytes(Array(chunks.joined())) }
        return try await self.behind.finish { [disk, pool] in
            let (file, digest) = try disk.seal()
            return .file(SpooledFile(file, pool, length: length, digest: digest.hex))
        }
    }
}

/// The file of a spool, and the running hash of it. One thread at a time uses it.
private final class SpoolDisk: Sendable {
    private struct State: ~Copyable {
        var file: OpenFile?
        var hash: SHA256?
    }

    private let directory: String
    private let state = Mutex(State(file: nil, hash: SHA256()))

    init(_ directory: String) { self.directory = directory }

    func append(_ chunks: [[UInt8]]) throws(StorageFault) {
        try self.state.withLock { (state) throws(StorageFault) in
            let file = if let file = state.file { file } else { try self.make() }
            state.file = file
            for chunk in chunks {
                try self.write(chunk, to: file.descriptor)
                state.hash?.update(chunk.span)
            }
        }
    }

    func seal() throws(StorageFault) -> (OpenFile, BlobDigest) {
        try self.state.withLock { (state) throws(StorageFault) in
            guard let file = state.file, let hash = state.hash.take() else { throw .other("an empty spool") }
            return (file, hash.finish())
        }
    }

    private func make() throws(StorageFault) -> OpenFile {
        var descriptor = unsafe open(self.directory, O_RDWR | O_CLOEXEC | O_DIRECTORY | linux_unnamed_file, 0o600)
        if descriptor < 0, errno == EOPNOTSUPP || errno == EISDIR {  // a file system without nameless files
            let path = "\(self.directory)/artifortress-spool.\(UniqueID.random().hex)"
            descriptor = unsafe open(path, O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL, 0o600)
            if descriptor >= 0 { unsafe unlink(path) }
        }
        guard descriptor >= 0 else { throw self.fault("open") }
        return OpenFile(descriptor: descriptor)
    }

    private func write(_ bytes: [UInt8], to descriptor: Int32) throws(StorageFault) {
        var offset = 0
        while offset < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress! + offset, buffer.count - offset)
            }
            if count >= 0 {
                offset += count
            } else if errno != EINTR {
                throw self.fault("write")
            }
        }
    }

    private func fault(_ call: String) -> StorageFault {
        let code = errno
        let text = unsafe "\(call) in the spool directory \(self.directory): \(String(cString: strerror(code)))"
        return code == ENOSPC || code == EDQUOT ? .full(text) : .unavailable(text)
    }
}
