// A way to take a server away from under its clients, and to give it back: everything goes through here.

import Foundation
import Glibc
import Synchronization

/// Forwards connections on loopback to another port, until it is cut.
package final class TCPProxy: Sendable {
    private struct State {
        var listener: Int32 = -1
        var open: [Int32] = []
        var isCut = false
    }

    package let port: UInt16
    private let target: UInt16
    private let state = Mutex(State())

    package init(to target: UInt16) throws {
        self.target = target
        let (listener, port) = try Self.listen(0)
        self.port = port
        self.state.withLock { $0.listener = listener }
        self.accept(on: listener)
    }

    /// Ends every connection and refuses new ones, as a stopped server does.
    package func cut() {
        self.state.withLock { state in
            state.isCut = true
            shutdown(state.listener, Int32(SHUT_RDWR))
            close(state.listener)
            for descriptor in state.open { shutdown(descriptor, Int32(SHUT_RDWR)) }
            state.open = []
        }
    }

    /// Takes connections again.
    package func mend() throws {
        let (listener, _) = try Self.listen(self.port)
        self.state.withLock { state in
            state.isCut = false
            state.listener = listener
        }
        self.accept(on: listener)
    }

    deinit { self.cut() }

    private func accept(on listener: Int32) {
        Self.thread { [weak self] in
            while true {
                let client = Glibc.accept(listener, nil, nil)
                guard client >= 0, let self else { return }
                guard let server = try? Self.connect(self.target) else {
                    close(client)
                    continue
                }
                let isCut = self.state.withLock { state in
                    state.open += [client, server]
                    return state.isCut
                }
                if isCut { shutdown(client, Int32(SHUT_RDWR)) }
                let left = DescriptorPair(client, server)
                Self.thread { Self.pump(client, server, left) }
                Self.thread { Self.pump(server, client, left) }
            }
        }
    }

    private static func pump(_ source: Int32, _ sink: Int32, _ pair: DescriptorPair) {
        var buffer = [UInt8](repeating: 0, count: 65536)
        loop: while true {
            let count = unsafe recv(source, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            var sent = 0
            while sent < count {
                let part = unsafe buffer.withUnsafeBytes {
                    unsafe send(sink, $0.baseAddress! + sent, count - sent, Int32(MSG_NOSIGNAL))
                }
                guard part > 0 else { break loop }
                sent += part
            }
        }
        shutdown(sink, Int32(SHUT_RDWR))
        shutdown(source, Int32(SHUT_RDWR))
        pair.leave()
    }

    /// Two descriptors, closed by the second of their two users.
    private final class DescriptorPair: Sendable {
        private let users = Atomic(2)
        private let first: Int32, second: Int32
        init(_ first: Int32, _ second: Int32) {
            self.first = first
            self.second = second
        }
        func leave() {
            guard self.users.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return }
            close(self.first)
            close(self.second)
        }
    }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private static func listen(_ port: UInt16) throws -> (Int32, UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var yes: Int32 = 1
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = Self.address(port)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> Int32 in
                guard unsafe bind(descriptor, address, length) == 0, Glibc.listen(descriptor, 128) == 0 else {
                    return errno
                }
                return unsafe getsockname(descriptor, address, &length)
            }
        }
        guard code == 0 else { throw WireFailure(description: "cannot listen: errno \(code)") }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    private static func connect(_ port: UInt16) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = Self.address(port)
        let code = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else {
            close(descriptor)
            throw WireFailure(description: "cannot connect: errno \(errno)")
        }
        return descriptor
    }

    private static func thread(_ body: @escaping @Sendable () -> Void) {
        Foundation.Thread.detachNewThread(body)
    }
}
