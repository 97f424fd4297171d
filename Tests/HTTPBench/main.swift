// A server without an application, for measurements and for the comparison with other servers (make bench, bench-cost,
// fuzz-http). It is no part of the product.
//
//   http-bench PORT DIRECTORY [--threads N] [--connections N] [--tls CERTIFICATE KEY]
//
// Prepared answers: `/prepared` (4 KiB), `/prepared-health` (20 bytes). Answers of a handler: `/memory` (4 KiB),
// `/health` (20 bytes), `/files/NAME` (opened for each request), `/hop` (4 KiB, after a wait for an actor),
// `/stream/BYTES`, `/sink` (counts the body's bytes). Every other answer tells how the request was read: method, path,
// and the body's bytes in hexadecimal.

import Glibc
import HTTP
import HTTPServer

let headers: Headers = [
    "Content-Type": "application/octet-stream", "ETag": "\"0123456789abcdef\"",
    "Cache-Control": "private, max-age=31536000, immutable",
]
let jsonHeaders: Headers = ["Content-Type": "application/json; charset=utf-8"]
let block = [UInt8](repeating: 0x61, count: 4096)
let health = Array("{\"status\":\"healthy\"}".utf8)

struct Bench: Sendable {
    private let directory: String
    private let counter = Counter()

    init(directory: String) { self.directory = directory }

    func answer(_ request: Request) async throws -> Response {
        if let answer = self.immediate(request) { return answer }
        return try await self.later(request)
    }

    /// What needs no wait: apart from the rest, whose larger frame costs a task one more allocation.
    private func immediate(_ request: Request) -> Response? {
        switch request.target.path {
        case "/memory": Response(200, headers: headers, body: .bytes(block))
        case "/health": Response(200, headers: jsonHeaders, body: .bytes(health))
        case let path where path.hasPrefix("/files/"): self.file(path)
        case let path where path.hasPrefix("/stream/"): self.stream(path)
        default: nil
        }
    }

    private func later(_ request: Request) async throws -> Response {
        switch request.target.path {
        case "/hop":
            await self.counter.count()
            return Response(200, headers: headers, body: .bytes(block))
        case "/sink":
            var count = 0
            for try await chunk in request.body { count += chunk.count }
            return .text(200, "\(count)\n")
        default: return try await self.echo(request)
        }
    }

    private func file(_ path: String) -> Response {
        let descriptor = unsafe open(self.directory + path.dropFirst(6), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return .text(404, "no such file\n") }
        let file = OpenFile(descriptor: descriptor)
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return .text(500, "the file cannot be read\n") }
        return Response(200, headers: headers, body: .file(FileRegion(file, offset: 0, length: Int(status.st_size))))
    }

    private func stream(_ path: String) -> Response {
        guard let length = Int(path.dropFirst(8)), length >= 0 else { return .text(400, "no length\n") }
        return Response(
            200, headers: headers,
            body: .stream(length: length) { writer in
                let chunk = [UInt8](repeating: 0x62, count: 128 * 1024)
                var left = length
                while left > 0 {
                    try await writer.write(left >= chunk.count ? chunk : Array(chunk[..<left]))
                    left -= min(left, chunk.count)
                }
            })
    }

    private func echo(_ request: Request) async throws -> Response {
        var text = Array("\(request.method) \(request.target.description) ".utf8)
        let digits = Array("0123456789abcdef".utf8)
        for try await chunk in request.body {
            for byte in chunk {
                text.append(digits[Int(byte >> 4)])
                text.append(digits[Int(byte & 15)])
            }
        }
        return Response(200, body: .bytes(text))
    }
}

actor Counter {
    private var value = 0

    func count() { self.value += 1 }
}

func fail(_ message: String) -> Never {
    let text = Array("http-bench: \(message)\n".utf8)
    _ = unsafe text.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
    exit(1)
}

func configuration(_ arguments: ArraySlice<String>) throws -> Server.Configuration {
    var configuration = Server.Configuration()
    var rest = arguments
    func value(of option: String) -> String {
        guard let value = rest.popFirst() else { fail("\(option) needs a value") }
        return value
    }
    func number(of option: String) -> Int {
        let text = value(of: option)
        guard let number = Int(text) else { fail("\(option): '\(text)' is not a number") }
        return number
    }
    guard let port = rest.popFirst().flatMap({ UInt16($0) }), rest.popFirst() != nil else {
        fail("usage: http-bench PORT DIRECTORY [--threads N] [--connections N] [--tls CERTIFICATE KEY]")
    }
    configuration.address = .tcp(host: "127.0.0.1", port: port)
    while let option = rest.popFirst() {
        switch option {
        case "--threads": configuration.threads = number(of: option)
        case "--connections": configuration.connectionLimit = number(of: option)
        case "--tls":
            configuration.tls = try Server.TLS(certificateFile: value(of: option), keyFile: value(of: option))
        default: fail("unknown option '\(option)'")
        }
    }
    let preparedBlock = PreparedAnswer(200, headers: headers, body: .bytes(block))
    let preparedHealth = PreparedAnswer(200, headers: jsonHeaders, body: .bytes(health))
    configuration.prepared = { head, bytes in
        guard head.method == .get || head.method == .head else { return .none }
        if bytes.isEqual("/prepared", in: head.path.range) { return .prepared(preparedBlock) }
        if bytes.isEqual("/prepared-health", in: head.path.range) { return .prepared(preparedHealth) }
        return .none
    }
    return configuration
}

// The main thread waits for a signal. (An asynchronous `main` would end it, which valgrind does not survive.)
var signals = sigset_t()
unsafe sigemptyset(&signals)
unsafe sigaddset(&signals, SIGTERM)
unsafe sigaddset(&signals, SIGINT)
unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
let serving: Task<Void, Never>
do {
    let server = Server(try configuration(CommandLine.arguments.dropFirst()))
    let bench = Bench(directory: CommandLine.arguments[2])
    serving = Task.detached {
        do {
            try await server.run(
                ready: {
                    print("http-bench listens on \($0)")
                    fflush(nil)
                }, handler: bench.answer)
        } catch { fail("\(error)") }
        exit(0)
    }
} catch { fail("\(error)") }
var received: Int32 = 0
_ = unsafe sigwait(&signals, &received)
serving.cancel()
while true { pause() }
