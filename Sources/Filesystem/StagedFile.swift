// A file that is not an object yet. Its steps block; rules: architecture, I7.

import CLinux
import Glibc
import Storage

/// An open file that is being written from its start; closed with its owner, and then left for the sweep.
struct StagedFile: ~Copyable {
    let path: String
    let descriptor: Int32
    /// In bytes.
    private(set) var length = 0
    private var writtenBack = 0

    /// Bytes after which the kernel is asked to begin writing, so that the final sync finds little to do.
    private static let writeBackInterval = 8 << 20

    /// Makes the file.
    ///
    /// - Parameter directories: makes those that are missing; nil where they must be there.
    /// - Throws: `other` where there is such a file already.
    init(creating path: String, in directories: Directories?) throws(StorageFault) {
        self.path = path
        do {
            self.descriptor = try SystemCall.open(path, O_WRONLY | O_CREAT | O_EXCL)
        } catch .missing where directories != nil {
            try directories?.make(parentOf: path)
            self.descriptor = try SystemCall.open(path, O_WRONLY | O_CREAT | O_EXCL)
        }
    }

    deinit { close(self.descriptor) }

    mutating func append(_ chunks: [[UInt8]]) throws(StorageFault) {
        for chunk in chunks {
            try SystemCall.write(chunk, to: self.descriptor, self.path)
            self.length += chunk.count
        }
        self.writeBack()
    }

    /// Appends all of another file: the kernel copies, or shares the blocks where the file system can.
    mutating func append(contentsOf source: Int32, length: Int) throws(StorageFault) {
        var left = length
        while left > 0 {
            let copied = copy_file_range(source, nil, self.descriptor, nil, min(left, 64 << 20), 0)
            if copied > 0 {
                left -= copied
                self.length += copied
                self.writeBack()
            } else if copied == 0 {
                throw .damaged("\(self.path): a part ended \(left) bytes early")
            } else if errno != EINTR {
                throw SystemCall.fault("copy_file_range", self.path)
            }
        }
    }

    private mutating func writeBack() {
        guard self.length - self.writtenBack >= Self.writeBackInterval else { return }
        // A hint: an error shows up at the sync.
        _ = sync_file_range(
            self.descriptor, off_t(self.writtenBack), off_t(self.length - self.writtenBack), linux_start_write_back)
        self.writtenBack = self.length
    }

    func synchronize() throws(StorageFault) { try SystemCall.synchronize(self.descriptor, self.path) }

    /// Makes the bytes durable, then gives the file its name, then makes the name durable.
    ///
    /// - Returns: false if the name is taken: an object is never replaced.
    func publish(as path: String, in directories: Directories) throws(StorageFault) -> Bool {
        try self.synchronize()
        guard try SystemCall.rename(self.path, toFree: path) else { return false }
        try directories.synchronize(parentOf: path)
        return true
    }
}
