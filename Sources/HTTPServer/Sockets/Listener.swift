// A listening socket, shared by the loops: each accepts, and deals its clients to the loop with the fewest.

import CLinux
import Glibc
import HTTP
import Synchronization

/// A listening socket; closed with its last owner.
final class Listener: Sendable {
    enum Accepted {
        case client(Int32, RemoteAddress)
        case noClient
        /// No descriptor or memory is left.
        case exhausted
    }

    let socket: Int32
    /// With the port that was found.
    let address: Server.Address
    private let file: SocketFile?
    private let isStopped = Atomic(false)

    /// - Throws: `HTTPFault.cannotListen`.
    init(_ address: Server.Address) throws(HTTPFault) {
        switch address {
        case .tcp(let host, let port):
            let (socket, bound) = try Self.listen(host, port)
            self.socket = socket
            self.address = .tcp(host: host, port: bound)
            self.file = nil
        case .unix(let path):
            let (socket, file) = try SocketFile.listen(path)
            self.socket = socket
            self.address = address
            self.file = file
        }
    }

    deinit {
        self.stop()
        close(self.socket)
    }

    /// Refuses every further client.
    func stop() {
        guard !self.isStopped.exchange(true, ordering: .relaxed) else { return }
        self.file?.remove()
        shutdown(self.socket, Int32(SHUT_RDWR))
    }

    /// The next client that waits.
    func accept() -> Accepted {
        while true {
            var storage = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let client = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe accept4(self.socket, $0, &length, linux_nonblocking_socket)
                }
            }
            guard client >= 0 else {
                switch errno {
                case ECONNABORTED, EINTR, EPERM: continue
                case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted
                default: return .noClient
                }
            }
            if self.file == nil || SocketFile.isTrusted(client) {
                return .client(client, RemoteAddress(storage, length: length))
            }
            close(client)
        }
    }

    private static func listen(_ host: String, _ port: UInt16) throws(HTTPFault) -> (socket: Int32, port: UInt16) {
        var hints = unsafe addrinfo()
        unsafe hints.ai_flags = AI_PASSIVE
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, String(port), &hints, &found) == 0, let address = unsafe found else {
            throw .cannotListen(errno: EADDRNOTAVAIL)
        }
        defer { unsafe freeaddrinfo(address) }
        let kind = Int32(SOCK_STREAM.rawValue) | linux_nonblocking_socket
        let descriptor = unsafe Glibc.socket(address.pointee.ai_family, kind, 0)
        guard descriptor >= 0 else { throw .cannotListen(errno: errno) }
        var yes: Int32 = 1
        var no: Int32 = 0
        let size = socklen_t(MemoryLayout<Int32>.size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, size)
        // Accepted sockets inherit both. The second finds clients that vanish while a handler works for them.
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &yes, size)
        if unsafe address.pointee.ai_family == AF_INET6 {  // `::` is every address of either family
            unsafe setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &no, size)
        }
        guard unsafe bind(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0,
            Glibc.listen(descriptor, 4096) == 0
        else {
            let code = errno
            close(descriptor)
            throw .cannotListen(errno: code)
        }
        var bound = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        _ = unsafe withUnsafeMutablePointer(to: &bound) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        return (descriptor, UInt16(bigEndian: bound.sin6_port))  // where sockaddr_in has it too
    }
}
