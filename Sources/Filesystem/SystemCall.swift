// System calls on files, with their errors as faults. All of them block: they run on dedicated threads.

import CLinux
import Glibc
import Storage

enum SystemCall {
    /// The fault for the error that the last call on this thread left in `errno`.
    static func fault(_ call: String, _ path: String, _ code: Int32 = errno) -> StorageFault {
        let text = unsafe "\(call) \(path): \(String(cString: strerror(code)))"
        return switch code {
        case ENOENT, ENOTDIR: .missing(text)
        case ENOSPC, EDQUOT: .full(text)
        case EACCES, EPERM, EROFS: .accessDenied(text)
        case EIO, EMFILE, ENFILE, ENOMEM, ESTALE, ETIMEDOUT: .unavailable(text)
        default: .other(text)
        }
    }

    static func open(_ path: String, _ flags: Int32) throws(StorageFault) -> Int32 {
        let descriptor = unsafe Glibc.open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw self.fault("open", path) }
        return descriptor
    }

    /// - Returns: false where it is there already.
    static func makeDirectory(_ path: String) throws(StorageFault) -> Bool {
        if unsafe mkdir(path, 0o700) == 0 { return true }
        guard errno == EEXIST else { throw self.fault("mkdir", path) }
        return false
    }

    static func rename(_ old: String, _ new: String) throws(StorageFault) {
        guard unsafe Glibc.rename(old, new) == 0 else { throw self.fault("rename", old) }
    }

    /// Gives a file a name that is free: of rivals one does.
    ///
    /// - Returns: false if the name is taken; the file then keeps its old one.
    static func rename(_ old: String, toFree new: String) throws(StorageFault) -> Bool {
        if unsafe renameat2(AT_FDCWD, old, AT_FDCWD, new, linux_rename_to_free_name) == 0 { return true }
        if errno == EINVAL || errno == ENOSYS {  // a file system that cannot, such as NFS: two steps, the first decides
            if unsafe link(old, new) == 0 {
                try self.remove(old)
                return true
            }
        }
        guard errno == EEXIST else { throw self.fault("rename", old) }
        return false
    }

    /// - Returns: false where there is none.
    @discardableResult
    static func remove(_ path: String) throws(StorageFault) -> Bool {
        if unsafe unlink(path) == 0 { return true }
        guard errno == ENOENT || errno == ENOTDIR else { throw self.fault("unlink", path) }
        return false
    }

    static func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws(StorageFault) {
        var offset = 0
        while offset < bytes.count {
            let written = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress! + offset, buffer.count - offset)
            }
            if written >= 0 {
                offset += written
            } else if errno != EINTR {
                throw self.fault("write", path)
            }
        }
    }

    /// Makes a file's bytes durable; of a directory, its names.
    static func synchronize(_ descriptor: Int32, _ path: String) throws(StorageFault) {
        while fsync(descriptor) != 0 {
            guard errno == EINTR else { throw self.fault("fsync", path) }
        }
    }

    static func synchronize(directory path: String) throws(StorageFault) {
        let descriptor = try self.open(path, O_RDONLY | O_DIRECTORY)
        defer { close(descriptor) }
        try self.synchronize(descriptor, path)
    }

    static func status(of descriptor: Int32, _ path: String) throws(StorageFault) -> stat {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw self.fault("fstat", path) }
        return status
    }

    /// Nil where there is no such file.
    static func status(of path: String) throws(StorageFault) -> stat? {
        var status = stat()
        if unsafe lstat(path, &status) == 0 { return status }
        guard errno == ENOENT || errno == ENOTDIR else { throw self.fault("lstat", path) }
        return nil
    }

    /// Calls `body` with each name in a directory, in no order; not at all where there is no such directory.
    static func forEachName(in path: String, _ body: (String) -> Void) throws(StorageFault) {
        guard let directory = unsafe opendir(path) else {
            if errno == ENOENT || errno == ENOTDIR { return }
            throw self.fault("opendir", path)
        }
        defer { unsafe closedir(directory) }
        while true {
            errno = 0
            guard let entry = unsafe readdir(directory) else {
                if errno != 0 { throw self.fault("readdir", path) }
                return
            }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { body(name) }
        }
    }

    /// Bytes that can still be written; nil where the file system does not say.
    static func room(at path: String) -> Int? {
        var status = statvfs()
        guard unsafe statvfs(path, &status) == 0 else { return nil }
        let (bytes, overflow) = Int(status.f_bavail).multipliedReportingOverflow(by: Int(status.f_frsize))
        return overflow ? nil : bytes
    }
}
