// Reads a file region from the start, for callers that process its bytes instead of sending them.

import Domain
import Glibc
import Synchronization

/// Blocks: to be used on threads that may.
package final class FileReader: Sendable {
    package struct Failure: Fault, Hashable {
        package let errno: Int32

        package var description: String {
            self.errno == 0
                ? "the file ended early" : "reading the file failed: \(unsafe String(cString: strerror(self.errno)))"
        }
    }

    /// In bytes.
    private let chunk: Int
    private let region: FileRegion
    private let position = Mutex(0)

    /// - Parameter chunk: in bytes.
    package init(_ region: FileRegion, chunk: Int = 1 << 20) {
        self.region = region
        self.chunk = chunk
    }

    /// The next chunk, or what is left; nil at the end.
    ///
    /// - Throws: `Failure`; errno 0 where the file is shorter than the region.
    package func next() throws(Failure) -> [UInt8]? {
        let (start, count) = self.position.withLock { position in
            let start = position
            let count = min(self.chunk, self.region.length - start)
            position += count
            return (start, count)
        }
        guard count > 0 else { return nil }
        var failure: Failure?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = 0
            while filled < count {
                let read = unsafe pread(
                    self.region.descriptor, buffer.baseAddress! + filled, count - filled,
                    self.region.offset + start + filled)
                if read < 0, errno == EINTR { continue }
                guard read > 0 else {
                    failure = Failure(errno: read < 0 ? errno : 0)
                    return
                }
                filled += read
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
