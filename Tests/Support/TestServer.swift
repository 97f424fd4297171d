// Servers for tests of what sends requests.

import Foundation
package import HTTP
package import HTTPServer
import Synchronization
import Threads

package enum TestServer {
    /// Calls `body` with the base URL of a server of ours.
    package static func with<Value: Sendable>(
        _ handler: @escaping @Sendable (Request) async throws -> Response,
        _ body: @escaping @Sendable (String) async throws -> Value
    ) async throws -> Value {
        var configuration = Server.Configuration()
        configuration.drainTimeout = .milliseconds(200)
        return try await self.with(configuration, handler) { try await body("http://\($0)") }
    }

    package static func with<Value: Sendable>(
        _ configuration: Server.Configuration, _ handler: @escaping @Sendable (Request) async throws -> Response,
        _ body: @escaping @Sendable (Server.Address) async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let (addresses, ready) = AsyncStream.makeStream(of: Server.Address.self)
            group.addTask {
                defer { ready.finish() }
                try await Server(configuration).run(ready: { ready.yield($0) }, handler: handler)
            }
            var values: [Value] = []
            for await address in addresses {
                values.append(try await body(address))
                break
            }
            group.cancelAll()
            try await group.waitForAll()
            guard let value = values.first else { throw CancellationError() }
            return value
        }
    }
}

/// A listening socket whose clients a test answers byte by byte, each on a thread of its own.
package final class RawServer: Sendable {
    package let port: UInt16
    private let socket: Int32
    private let count = Atomic(0)

    /// How many clients have come.
    package var clients: Int { self.count.load(ordering: .relaxed) }
    package var url: String { "http://127.0.0.1:\(self.port)" }

    package init(_ answer: @escaping @Sendable (RawClient) -> Void) {
        let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(socket, $0, length)
                listen(socket, 1024)
                unsafe getsockname(socket, $0, &length)
            }
        }
        self.socket = socket
        self.port = UInt16(bigEndian: address.sin_port)
        Thread.start { [weak self] in
            while true {
                let client = accept(socket, nil, nil)
                guard client >= 0 else { return }
                self?.count.add(1, ordering: .relaxed)
                Thread.start { answer(RawClient(client)) }
            }
        }
    }

    deinit {
        shutdown(self.socket, Int32(SHUT_RDWR))
        close(self.socket)
    }
}

/// Closed with its last use.
package final class RawClient: Sendable {
    private let socket: Int32

    init(_ socket: Int32) { self.socket = socket }

    deinit { close(self.socket) }

    /// What has come, to the end of a head; less where the client closes.
    package func readHead() -> String {
        var bytes: [UInt8] = []
        while !bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            var byte: UInt8 = 0
            guard unsafe read(self.socket, &byte, 1) == 1 else { break }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Up to that many bytes.
    package func readBody(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let read = unsafe bytes.withUnsafeMutableBytes {
                unsafe recv(self.socket, $0.baseAddress! + filled, count - filled, 0)
            }
            guard read > 0 else { break }
            filled += read
        }
        return Array(bytes.prefix(filled))
    }

    package func send(_ text: String) { self.send(Array(text.utf8)) }

    package func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Foundation.send(
                    self.socket, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// Waits until the client closes.
    package func awaitEnd() { while !self.readBody(4096).isEmpty {} }
}
