// The embedded shape is one process's: its data directory is locked. (HTTP contract, section 9, row 35.)

import Glibc

/// Held from `init` to the end of its owner, or of the process, however that ends.
package final class DataLock: Sendable {
    /// Another process has the directory, or none can be written there.
    package struct Refused: Error, CustomStringConvertible {
        package let description: String
        /// Whether another process has it, and not something wrong with the directory.
        package let isHeldByAnother: Bool
    }

    private let descriptor: Int32

    /// - Parameter directory: the data directory, which exists. The lock is a file `lock` in it, which stays.
    package convenience init(directory: String) throws(Refused) {
        let path = "\(directory)/lock"
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw Refused(
                description: "cannot write to the data directory: open \(path): \(Self.reason())",
                isHeldByAnother: false)
        }
        try self.init(descriptor, directory)
    }

    /// Takes the lock if its file exists; changes nothing else.
    ///
    /// - Returns: nil if there is no such file: then no server has run here.
    package static func existing(in directory: String) throws(Refused) -> DataLock? {
        let path = "\(directory)/lock"
        let descriptor = unsafe open(path, O_RDWR | O_CLOEXEC)
        if descriptor >= 0 { return try DataLock(descriptor, directory) }
        guard errno == ENOENT || errno == ENOTDIR else {
            throw Refused(description: "cannot open \(path): \(Self.reason())", isHeldByAnother: false)
        }
        return nil
    }

    private init(_ descriptor: Int32, _ directory: String) throws(Refused) {
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = Self.holder(descriptor)
            let isHeld = errno == EWOULDBLOCK
            let reason = isHeld ? "in use by another process\(holder)" : Self.reason()
            close(descriptor)
            throw Refused(description: "the data directory \(directory) is \(reason)", isHeldByAnother: isHeld)
        }
        let line = Array("\(getpid())\n".utf8)
        unsafe _ = line.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        ftruncate(descriptor, off_t(line.count))
        self.descriptor = descriptor
    }

    deinit { close(self.descriptor) }

    private static func reason() -> String { unsafe String(cString: strerror(errno)) }

    private static func holder(_ descriptor: Int32) -> String {
        let code = errno
        defer { errno = code }
        var bytes = [UInt8](repeating: 0, count: 20)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor, $0.baseAddress, $0.count, 0) }
        let digits = bytes.prefix(max(0, count)).prefix { (0x30...0x39).contains($0) }
        return digits.isEmpty ? "" : ", pid \(String(decoding: digits, as: UTF8.self))"
    }
}
