// Room on the disk that is kept for operations that free space or revoke access: a file beside the database, which is
// shortened when they meet a full disk, and filled again afterwards.

import Glibc

/// Used on the writer's thread only.
final class SpaceReserve {
    /// In bytes; a deletion needs a few dozen pages of the write-ahead log.
    static let standardSize = 8 << 20
    /// In bytes: what is given out at once, so that other writers find little to take.
    private static let step = 1 << 20
    /// In bytes: what is taken back at once.
    private static let grain = 64 << 10

    private let path: String
    private let size: Int
    private var descriptor: Int32 = -1

    init(path: String, size: Int) {
        self.path = path
        self.size = size
    }

    deinit { if self.descriptor >= 0 { close(self.descriptor) } }

    /// Takes as much room as there is, up to the reserve's size.
    ///
    /// - Returns: whether the reserve is whole.
    func fill() -> Bool {
        guard self.open() else { return false }
        var length = self.length
        while length < self.size {
            let next = min(Self.grain, self.size - length)
            guard posix_fallocate(self.descriptor, off_t(length), off_t(next)) == 0 else {
                // A part of it may have been written.
                ftruncate(self.descriptor, off_t(length))
                return false
            }
            length += next
        }
        return true
    }

    /// Gives a part of the reserve back to the disk.
    ///
    /// - Returns: false if nothing is left of it.
    func release() -> Bool {
        guard self.open() else { return false }
        let length = self.length
        guard length > 0 else { return false }
        return ftruncate(self.descriptor, off_t(max(0, length - Self.step))) == 0
    }

    private func open() -> Bool {
        if self.descriptor < 0 { self.descriptor = unsafe Glibc.open(self.path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600) }
        return self.descriptor >= 0
    }

    private var length: Int {
        var status = stat()
        return unsafe fstat(self.descriptor, &status) == 0 ? Int(status.st_size) : 0
    }
}
