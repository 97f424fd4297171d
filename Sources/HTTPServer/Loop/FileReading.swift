// Files that are sent: the part in the page cache at once, the rest after a thread of its own has read it into the cache.
// A loop never waits for a disk.

import CLinux
import Glibc
import HTTP
import Threads

enum FileReading {
    enum Outcome { case whole, notCached, tooShort }

    /// The threads that wait for disks, of all servers of the process.
    static let readers = BlockingPool(threads: 4)
    /// In bytes: what is read ahead for one connection.
    static let part = 1024 * 1024

    /// Reads what is in the page cache.
    ///
    /// - Returns: how many bytes; zero at the file's end; nil if nothing is in the cache; -1 for an error.
    static func cached(
        _ descriptor: Int32, at offset: Int, _ buffer: UnsafeMutableRawBufferPointer
    ) -> Int? {
        var part = unsafe iovec(iov_base: buffer.baseAddress, iov_len: buffer.count)
        while true {
            let count = unsafe preadv2(descriptor, &part, 1, off_t(offset), linux_read_cached)
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN: return nil
            // The file system cannot tell; its files are in memory, or on another machine.
            case EOPNOTSUPP, ENOSYS: return unsafe pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
            default: return -1
            }
        }
    }

    /// Whether the first and the last byte of a part are in the page cache. (The kernel reads files ahead and evicts
    /// them in runs, so what is between them nearly always is too.)
    static func isCached(_ descriptor: Int32, _ part: Range<Int>) -> Bool {
        var byte: UInt8 = 0
        return unsafe withUnsafeMutableBytes(of: &byte) { buffer in
            unsafe self.cached(descriptor, at: part.lowerBound, buffer) != nil
                && self.cached(descriptor, at: part.upperBound - 1, buffer) != nil
        }
    }

    /// Reads a part into the page cache. Blocks.
    static func load(_ descriptor: Int32, _ part: Range<Int>) {
        // The kernel begins with the next part as well.
        posix_fadvise(descriptor, off_t(part.lowerBound), off_t(2 * Self.part), POSIX_FADV_WILLNEED)
        unsafe withUnsafeTemporaryAllocation(byteCount: 64 * 1024, alignment: 1) { buffer in
            var at = part.lowerBound
            while at < part.upperBound {
                let count = unsafe pread(
                    descriptor, buffer.baseAddress, min(buffer.count, part.upperBound - at), off_t(at))
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return }  // sending it will meet the same end
                at += count
            }
        }
    }
}

extension FileRegion {
    /// Whether the file still reaches to the region's end.
    var isWhole: Bool {
        var status = stat()
        return unsafe fstat(self.descriptor, &status) == 0 && Int(status.st_size) - self.offset >= self.length
    }
}

extension OutputBuffer {
    /// Appends a small file if it is in the page cache; nothing otherwise.
    mutating func append(cached region: FileRegion) -> FileReading.Outcome {
        var filled = 0
        while filled < region.length {
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: self.free[filled..<region.length])
            guard let count = unsafe FileReading.cached(region.descriptor, at: region.offset + filled, room) else {
                return .notCached
            }
            guard count > 0 else { return .tooShort }
            filled += count
        }
        self.filled(filled)
        return .whole
    }
}
