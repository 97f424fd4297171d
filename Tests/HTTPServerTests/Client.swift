// A client that sends exactly what it is told to.

import Glibc
import HTTPServer

struct Client: ~Copyable {
    let socket: Int32
    let isConnected: Bool

    init(_ address: Server.Address, receiveBuffer: Int32? = nil) {
        var storage = sockaddr_storage()
        let length: Int
        switch address {
        case .tcp(let host, let port):
            var hints = unsafe addrinfo()
            unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
            var found: UnsafeMutablePointer<addrinfo>?
            unsafe getaddrinfo(host, String(port), &hints, &found)
            length = unsafe Int(found!.pointee.ai_addrlen)
            unsafe memcpy(&storage, found!.pointee.ai_addr, length)
            unsafe freeaddrinfo(found)
        case .unix(let path):
            var local = Self.address(path)
            length = MemoryLayout<sockaddr_un>.size
            unsafe memcpy(&storage, &local, length)
        }
        let socket = Glibc.socket(Int32(storage.ss_family), Int32(SOCK_STREAM.rawValue), 0)
        if var size = receiveBuffer {
            unsafe setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var timeout = timeval(tv_sec: 60, tv_usec: 0)
        unsafe setsockopt(
            socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        unsafe setsockopt(
            socket, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        let isConnected = unsafe withUnsafePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(socket, $0, socklen_t(length)) == 0
            }
        }
        self.socket = socket
        self.isConnected = isConnected
    }

    deinit { close(self.socket) }

    /// - Returns: how many bytes went out.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Int {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.send(self.socket, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { break }
            sent += count
        }
        return sent
    }

    @discardableResult
    func send(_ text: String) -> Int { self.send(Array(text.utf8)) }

    /// What comes until it ends with `end`, or the server closes, or a minute is over.
    func read(until end: String? = nil) -> String {
        let end = end.map { Array($0.utf8) }
        var bytes: [UInt8] = []
        while end.map({ !bytes.suffix($0.count).elementsEqual($0) }) ?? true {
            let part = self.readSome(65536)
            guard !part.isEmpty else { break }
            bytes += part
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    func readSome(_ limit: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            count = unsafe max(0, recv(self.socket, buffer.baseAddress, buffer.count, 0))
        }
    }

    /// Whether something to read, or the end, comes within that time.
    func hasInput(within time: Duration) -> Bool {
        var polled = pollfd(fd: self.socket, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&polled, 1, Int32(time / .milliseconds(1))) > 0
    }

    /// Tells the server that nothing more comes.
    func endSending() { shutdown(self.socket, Int32(SHUT_WR)) }

    /// Leaves a socket file behind that nobody listens on.
    static func abandon(_ path: String) -> Bool {
        var address = Self.address(path)
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }

    private static func address(_ path: String) -> sockaddr_un {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        return address
    }
}

/// A client for places where only a reference will do.
final class Shared: Sendable {
    let client: Client
    init(_ address: Server.Address) { self.client = Client(address) }
}
