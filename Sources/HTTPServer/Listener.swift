// Where clients knock. The daemon's own listening can't be ended safely while it runs.

import CMicroHTTPD
import Glibc
import HTTP

/// A listening socket; closed with its last owner.
final class Listener: Sendable {
    let socket: Int32
    let port: UInt16

    /// - Parameter host: a numeric address.
    /// - Throws: `HTTPFault.cannotListen`.
    init(_ host: String, _ port: UInt16) throws(HTTPFault) {
        (self.socket, self.port) = try Self.listen(host, port)
    }

    deinit { close(self.socket) }

    /// The next client's socket; nil where none waits.
    func accept() -> Int32? {
        let client = accept4(self.socket, nil, nil, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
        return client >= 0 ? client : nil
    }

    private static func listen(_ host: String, _ port: UInt16) throws(HTTPFault) -> (socket: Int32, port: UInt16) {
        var hints = unsafe addrinfo()
        unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, String(port), &hints, &found) == 0, let address = unsafe found else {
            throw .cannotListen(errno: EADDRNOTAVAIL)
        }
        defer { unsafe freeaddrinfo(address) }
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = unsafe Glibc.socket(address.pointee.ai_family, kind, 0)
        guard descriptor >= 0 else { throw .cannotListen(errno: errno) }
        var yes: Int32 = 1
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard unsafe bind(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0,
            Glibc.listen(descriptor, 1024) == 0
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
