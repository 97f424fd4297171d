// Listening on a Unix-domain socket: for our own user's processes and root's only. Rule: HTTP contract, section 9, row 35.

import CLinux
import Glibc
import HTTP

/// The file of a listening socket, known by its identity: a file that has replaced it is not removed.
struct SocketFile: Sendable {
    private let path: String
    private let device: dev_t
    private let inode: ino_t

    /// Listens on a new socket of mode 0600. A file that a dead process has left is replaced.
    ///
    /// - Throws: `HTTPFault.cannotListen`: `EADDRINUSE` if a process listens there, `EEXIST` if something else
    ///   stands there, `ENAMETOOLONG` beyond 107 bytes.
    static func listen(_ path: String) throws(HTTPFault) -> (socket: Int32, file: SocketFile) {
        guard let address = Self.address(of: path) else { throw .cannotListen(errno: ENAMETOOLONG) }
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = Glibc.socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { throw .cannotListen(errno: errno) }
        do throws(HTTPFault) {
            if unsafe !Self.call(bind, descriptor, address) {
                guard errno == EADDRINUSE else { throw .cannotListen(errno: errno) }
                try Self.removeAbandoned(path, address)
                guard unsafe Self.call(bind, descriptor, address) else { throw .cannotListen(errno: errno) }
            }
            // No client can connect before it listens, whatever the mode was until now.
            guard unsafe chmod(path, 0o600) == 0, Glibc.listen(descriptor, 1024) == 0,
                let status = Self.status(of: path)
            else { throw .cannotListen(errno: errno) }
            return (descriptor, SocketFile(path: path, device: status.st_dev, inode: status.st_ino))
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Removes the file, if it is still the one that was made.
    func remove() {
        guard let status = Self.status(of: self.path), status.st_dev == self.device, status.st_ino == self.inode
        else { return }
        unsafe unlink(self.path)
    }

    /// Whether the process at the other end is our own user's or root's.
    static func isTrusted(_ client: Int32) -> Bool {
        var user = uid_t()
        return unsafe linux_peer_user(client, &user) == 0 && (user == 0 || user == geteuid())
    }

    private static func removeAbandoned(_ path: String, _ address: sockaddr_un) throws(HTTPFault) {
        guard let status = self.status(of: path), status.st_mode & S_IFMT == S_IFSOCK else {
            throw .cannotListen(errno: EEXIST)
        }
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let probe = Glibc.socket(AF_UNIX, kind, 0)
        guard probe >= 0 else { throw .cannotListen(errno: errno) }
        defer { close(probe) }
        guard unsafe !self.call(connect, probe, address), errno == ECONNREFUSED else {
            throw .cannotListen(errno: EADDRINUSE)
        }
        unsafe unlink(path)
    }

    private static func status(of path: String) -> stat? {
        var status = stat()
        return unsafe lstat(path, &status) == 0 ? status : nil
    }

    private static func address(of path: String) -> sockaddr_un? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let fits = unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in
            guard path.utf8.count < room.count else { return false }
            unsafe room.copyBytes(from: path.utf8)
            return true
        }
        return fits ? address : nil
    }

    private static func call(
        _ function: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32, _ socket: Int32, _ address: sockaddr_un
    ) -> Bool {
        unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe function(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }
}
