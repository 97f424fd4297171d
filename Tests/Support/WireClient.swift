// An HTTP/1.1 client of the tests' own: what the server says is read from the socket, not by the code that is tested.

import Foundation
import Glibc

/// An answer, whole.
package struct WireAnswer: Sendable {
    package let status: Int
    package let headers: [(name: String, value: String)]
    package let body: [UInt8]
    /// Whether the body ended as its framing says.
    package let isComplete: Bool

    package var text: String { String(decoding: self.body, as: UTF8.self) }

    package subscript(header name: String) -> String? {
        self.headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    package func all(_ name: String) -> [String] {
        self.headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }
}

package struct WireFailure: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}

/// One request a connection.
package struct WireClient: Sendable {
    package let host: String
    package let port: UInt16

    package init(host: String = "127.0.0.1", port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Sends one request and reads its answer, on a thread of its own.
    ///
    /// - Parameter path: as it goes on the wire.
    package func send(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8]? = nil,
        chunked: Bool = false, timeout seconds: Int = 60
    ) async throws -> WireAnswer {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: \(self.host):\(self.port)\r\nConnection: close\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        var bytes: [UInt8] = []
        if let body {
            head += chunked ? "Transfer-Encoding: chunked\r\n" : "Content-Length: \(body.count)\r\n"
            bytes = chunked ? Self.chunks(body) : body
        }
        let message = Array((head + "\r\n").utf8) + bytes
        return try await withCheckedThrowingContinuation { continuation in
            Foundation.Thread.detachNewThread {
                continuation.resume(
                    with: Result { try self.exchange(message, isHead: method == "HEAD", timeout: seconds) })
            }
        }
    }

    /// Sends bytes as they are, and reads one answer.
    package func send(raw message: [UInt8], timeout seconds: Int = 60) async throws -> WireAnswer {
        try await withCheckedThrowingContinuation { continuation in
            Foundation.Thread.detachNewThread {
                continuation.resume(with: Result { try self.exchange(message, isHead: false, timeout: seconds) })
            }
        }
    }

    /// Sends a request and goes away without looking for an answer, as an impatient client does.
    package func abandon(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8]
    ) async throws {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: \(self.host):\(self.port)\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        let message = Array((head + "Content-Length: \(body.count)\r\n\r\n").utf8) + body
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            Foundation.Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        let descriptor = try self.connect(timeout: 60)
                        _ = unsafe message.withUnsafeBytes {
                            unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                        }
                        close(descriptor)
                    })
            }
        }
    }

    private static func chunks(_ body: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: body.count, by: 1000) {
            let chunk = body[start..<min(start + 1000, body.count)]
            bytes += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + Array("\r\n".utf8)
        }
        return bytes + Array("0\r\n\r\n".utf8)
    }

    private func exchange(_ message: [UInt8], isHead: Bool, timeout seconds: Int) throws -> WireAnswer {
        let descriptor = try self.connect(timeout: seconds)
        defer { close(descriptor) }
        var sent = 0
        while sent < message.count {
            let count = unsafe message.withUnsafeBytes {
                unsafe Glibc.send(descriptor, $0.baseAddress! + sent, message.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { break }  // the server may have answered early: what it says counts
            sent += count
        }
        var bytes: [UInt8] = []
        while true {
            let part = unsafe [UInt8](unsafeUninitializedCapacity: 65536) { buffer, count in
                count = unsafe max(0, recv(descriptor, buffer.baseAddress, buffer.count, 0))
            }
            if part.isEmpty { break }
            bytes += part
        }
        return try Self.parse(bytes, isHead: isHead)
    }

    private func connect(timeout seconds: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var timeout = timeval(tv_sec: seconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, size)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = self.port.bigEndian
        address.sin_addr.s_addr = unsafe inet_addr(self.host)
        let failed = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard failed == 0 else {
            let code = errno
            close(descriptor)
            throw WireFailure(description: "cannot connect to \(self.host):\(self.port): errno \(code)")
        }
        return descriptor
    }

    private static func parse(_ bytes: [UInt8], isHead: Bool) throws -> WireAnswer {
        var rest = bytes[...]
        while true {
            guard let end = rest.firstRange(of: Array("\r\n\r\n".utf8)) else {
                throw WireFailure(description: "no answer: '\(String(decoding: bytes.prefix(200), as: UTF8.self))'")
            }
            let lines = String(decoding: rest[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
            rest = rest[end.upperBound...]
            let words = lines[0].split(separator: " ")
            guard words.count >= 2, let status = Int(words[1]) else {
                throw WireFailure(description: "no status line: \(lines[0])")
            }
            if status == 100 { continue }
            let headers = lines.dropFirst().map { line in
                let parts = line.split(separator: ":", maxSplits: 1)
                return (
                    name: String(parts[0]),
                    value: parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
                )
            }
            func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name }?.value }
            if isHead || status == 204 || status == 304 {
                return WireAnswer(status: status, headers: headers, body: [], isComplete: true)
            }
            if header("transfer-encoding")?.lowercased() == "chunked" {
                let (body, isComplete) = Self.unchunked(rest)
                return WireAnswer(status: status, headers: headers, body: body, isComplete: isComplete)
            }
            let length = header("content-length").flatMap { Int($0) }
            return WireAnswer(
                status: status, headers: headers, body: Array(rest), isComplete: length.map { $0 == rest.count } ?? true
            )
        }
    }

    private static func unchunked(_ bytes: ArraySlice<UInt8>) -> ([UInt8], isComplete: Bool) {
        var (body, rest): ([UInt8], ArraySlice<UInt8>) = ([], bytes)
        while let end = rest.firstRange(of: Array("\r\n".utf8)) {
            let size = String(decoding: rest[..<end.lowerBound], as: UTF8.self).split(separator: ";").first ?? ""
            guard let count = Int(size, radix: 16) else { return (body, false) }
            if count == 0 { return (body, true) }
            rest = rest[end.upperBound...]
            guard rest.count >= count + 2 else { return (body + rest, false) }
            body += rest.prefix(count)
            rest = rest.dropFirst(count + 2)
        }
        return (body, false)
    }
}
