// Stored bytes on their way out: hashed where the settings ask for it, and reported if they are not what they should
// be. Rules: architecture, I1.

import Cryptography
package import Domain
import HTTP
package import Storage
import Synchronization
package import Threads

/// Bytes that could not be sent as they should be. The client got no complete answer.
package struct DownloadFailure: Sendable {
    package enum Cause: String, CaseIterable, Sendable {
        /// The row says that there is an object, and there is none: 404.
        case missing
        /// The object has another length than its row says: 503.
        case length = "wrong_length"
        /// The stream ended early: the connection was broken.
        case shortRead = "short_read"
        /// The bytes that were read have another SHA-256: the connection was broken before the last of them.
        case digest = "digest_mismatch"
    }

    package let cause: Cause
    package let digest: BlobDigest
    package let storageKey: StorageKey
    package let correlation: UniqueID?
    package let fault: StorageFault
}

package struct DownloadWatch: Sendable {
    /// Threads that hash what is sent; nil where it is not verified.
    private let verifiers: BlockingPool?
    private let report: @Sendable (DownloadFailure) -> Void

    package init(verifiers: BlockingPool?, report: @escaping @Sendable (DownloadFailure) -> Void) {
        self.verifiers = verifiers
        self.report = report
    }

    /// The body for bytes that were opened.
    ///
    /// - Parameter isWhole: whether it is the whole object: parts cannot be verified.
    func body(
        of bytes: StoredBytes, length: Int, isWhole: Bool, _ file: FileDescription, correlation: UniqueID?
    ) -> Response.Body {
        let verifiers = isWhole ? self.verifiers : nil
        if verifiers == nil, case .file(let region) = bytes { return .file(region) }
        return .stream(length: length) { writer in
            do {
                if let verifiers {
                    try await VerifiedBytes(bytes, length: length, file.digest, verifiers).send(to: writer)
                } else if case .stream(let stream) = bytes {
                    for try await chunk in stream { try await writer.write(chunk) }
                }
            } catch let fault as StorageFault {
                let cause: DownloadFailure.Cause = if case .mismatch = fault { .digest } else { .shortRead }
                self.tell(cause, fault, file, correlation)
                throw fault
            }
        }
    }

    /// Reports an object that could not be opened, if the object is the cause.
    func note(_ fault: StorageFault, _ file: FileDescription, correlation: UniqueID?) {
        switch fault {
        case .missing: self.tell(.missing, fault, file, correlation)
        case .damaged, .mismatch: self.tell(.length, fault, file, correlation)
        case .accessDenied, .unavailable, .full, .invalidPart, .tooLarge, .foreign, .other: break
        }
    }

    private func tell(
        _ cause: DownloadFailure.Cause, _ fault: StorageFault, _ file: FileDescription, _ correlation: UniqueID?
    ) {
        self.report(
            DownloadFailure(
                cause: cause, digest: file.digest, storageKey: file.storageKey, correlation: correlation, fault: fault))
    }
}

/// An object's bytes, the last of which are sent only once the whole is known to be right.
private struct VerifiedBytes {
    /// In bytes: with what waits to be sent, a request holds less than a MiB.
    private static let chunk = 256 << 10

    private let bytes: StoredBytes
    private let length: Int
    private let digest: BlobDigest
    private let threads: BlockingPool
    private let hash = RunningHash()

    init(_ bytes: StoredBytes, length: Int, _ digest: BlobDigest, _ threads: BlockingPool) {
        self.bytes = bytes
        self.length = length
        self.digest = digest
        self.threads = threads
    }

    func send(to writer: BodyWriter) async throws {
        var sent = 0
        switch self.bytes {
        case .file(let region):
            let reader = FileReader(region, chunk: Self.chunk)
            while let chunk = try await self.next(of: reader) { try await self.pass(chunk, &sent, writer) }
        case .stream(let stream):
            for try await chunk in stream {
                try await self.threads.run { [hash] in hash.update(chunk) }
                try await self.pass(chunk, &sent, writer)
            }
        }
    }

    private func next(of reader: FileReader) async throws -> [UInt8]? {
        do {
            return try await self.threads.run { [hash] in
                let chunk = try reader.next()
                if let chunk { hash.update(chunk) }
                return chunk
            }
        } catch let failure as FileReader.Failure {
            throw StorageFault.damaged("a read of \(self.digest)'s object failed: errno \(failure.errno)")
        }
    }

    private func pass(_ chunk: [UInt8], _ sent: inout Int, _ writer: BodyWriter) async throws {
        sent += chunk.count
        if sent == self.length, let found = self.hash.finish(), found != self.digest {
            throw StorageFault.mismatch("the stored bytes have the SHA-256 \(found), not \(self.digest)")
        }
        try await writer.write(chunk)
    }
}

/// A hash that is fed on threads of a pool, one chunk after the other.
private final class RunningHash: Sendable {
    private let hash = Mutex<SHA256?>(SHA256())

    func update(_ chunk: [UInt8]) { self.hash.withLock { $0?.update(chunk.span) } }

    func finish() -> BlobDigest? { self.hash.withLock { $0.take()?.finish() } }
}
