// Bodies: as they arrive, as they are pulled, and as the client takes them.

import Glibc
import HTTP
import HTTPServer
import Synchronization
import Testing

@Suite struct BodyTests {
    private let echo: Handler = { request in
        var body: [UInt8] = []
        for try await chunk in request.body { body += chunk }
        return .text(200, "\(request.target) \(String(decoding: body, as: UTF8.self))")
    }

    @Test func `bytes that arrive one at a time make the same request`() async throws {
        try await serving(with: self.echo) { address in
            let client = Client(address)
            let request =
                "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: u\r\n\r\n"
            for byte in Array(request.utf8) {
                client.send([byte])
                usleep(100)
            }
            #expect(client.answer()?.text == "/a abc")
        }
    }

    @Test func `a client that shuts its side down still gets its answers`() async throws {
        let echo = self.echo
        let handler: Handler = { request in
            await reallyWait()
            return try await echo(request)
        }
        var configuration = Server.Configuration.quick
        configuration.endedTimeout = .seconds(60)
        try await serving(configuration, with: handler) { address in
            let client = Client(address)
            client.send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")
            client.endSending()
            #expect(client.answer()?.text == "/1 ")
            #expect(client.answer()?.text == "/2 x")
            #expect(client.read() == "")
        }
    }

    @Test func `100 Continue is sent when the handler pulls, and not before`() async throws {
        let gate = Gate()
        let handler: Handler = { request in
            if request.target.path == "/no" { return .text(403, "no") }
            try await gate.pass()
            var count = 0
            for try await chunk in request.body { count += chunk.count }
            return .text(200, "\(count)")
        }
        try await serving(with: handler) { address in
            let head = "HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
            let client = Client(address)
            client.send("POST /yes \(head)")
            #expect(eventually { gate.arrivals == 1 })
            let isEarly = client.hasInput(within: .milliseconds(100))
            #expect(!isEarly)
            gate.open()
            #expect(client.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
            client.send("ok")
            #expect(client.answer()?.text == "2")
            let refused = Client(address)
            refused.send("POST /no \(head)")
            let answer = refused.read()
            #expect(answer.hasPrefix("HTTP/1.1 403 ") && answer.contains("\r\nConnection: close\r\n"))
            // A client that does not wait for it is not told to go on.
            let hasty = Client(address)
            hasty.send("POST /yes \(head)ok")
            #expect(hasty.read(until: "2").hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test func `a slow reader stops the handler's stream`() async throws {
        let written = Atomic(0)
        let handler: Handler = { _ in
            Response(
                200,
                body: .stream(length: nil) { writer in
                    let chunk = [UInt8](repeating: 0x61, count: 1 << 20)
                    for _ in 0..<64 {
                        try await writer.write(chunk)
                        written.add(1, ordering: .relaxed)
                    }
                })
        }
        try await serving(with: handler) { address in
            let client = Client(address, receiveBuffer: 65536)
            client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(eventually { written.load(ordering: .relaxed) > 0 })
            usleep(200_000)  // time in which it would write on
            #expect(written.load(ordering: .relaxed) < 16)
            #expect(client.answer()?.body.count == 64 << 20)
        }
    }

    @Test func `a body that is not pulled stays in the client's socket`() async throws {
        let gate = Gate()
        let handler: Handler = { request in
            try await gate.pass()
            var count = 0
            for try await chunk in request.body { count += chunk.count }
            return .text(200, "\(count)")
        }
        var configuration = Server.Configuration.quick
        configuration.bodyLimit = 1 << 30
        try await serving(configuration, with: handler) { address in
            let client = Client(address)
            let size = 64 << 20
            client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(size)\r\n\r\n")
            let flags = fcntl(client.socket, F_GETFL)
            _ = fcntl(client.socket, F_SETFL, flags | O_NONBLOCK)
            let chunk = [UInt8](repeating: 0x61, count: 1 << 20)
            var sent = 0
            for _ in 0..<100 {
                let count = unsafe Glibc.send(client.socket, chunk, chunk.count, Int32(MSG_NOSIGNAL))
                if count > 0 { sent += count } else { usleep(1000) }
            }
            #expect(sent < size / 2)
            _ = fcntl(client.socket, F_SETFL, flags)
            gate.open()
            #expect(client.send([UInt8](repeating: 0x61, count: size - sent)) == size - sent)
            #expect(client.answer()?.text == "\(size)")
        }
    }

    @Test func `large bodies arrive whole both ways`() async throws {
        let size = 128 << 20
        try await withDirectory { directory in
            let path = directory + "/file"
            let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            ftruncate(descriptor, size)
            let file = OpenFile(descriptor: descriptor)
            let handler: Handler = { request in
                if request.target.path == "/up" {
                    var count = 0
                    for try await chunk in request.body { count += chunk.count }
                    return .text(200, "\(count)")
                }
                if request.target.path == "/file" {
                    return Response(200, body: .file(FileRegion(file, offset: 0, length: size)))
                }
                return Response(
                    200,
                    body: .stream(length: request.target.path == "/known" ? size : nil) { writer in
                        let chunk = [UInt8](repeating: 0x61, count: 1 << 16)
                        for _ in 0..<(size >> 16) { try await writer.write(chunk) }
                    })
            }
            var configuration = Server.Configuration.quick
            configuration.bodyLimit = 1 << 30
            try await serving(configuration, with: handler) { address in
                for path in ["/file", "/known", "/chunked"] {
                    let client = Client(address)
                    client.send("GET \(path) HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                    var count = 0
                    while case let part = client.readSome(1 << 20), !part.isEmpty { count += part.count }
                    #expect(count > size)
                }
                let chunk = [UInt8](repeating: 0x62, count: 1 << 16)
                for isChunked in [false, true] {
                    let client = Client(address)
                    let framing = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(size)"
                    client.send("POST /up HTTP/1.1\r\nHost: h\r\n\(framing)\r\n\r\n")
                    for _ in 0..<(size >> 16) {
                        if isChunked { client.send("10000\r\n") }
                        client.send(chunk)
                        if isChunked { client.send("\r\n") }
                    }
                    if isChunked { client.send("0\r\n\r\n") }
                    #expect(client.answer()?.text == "\(size)")
                }
            }
        }
    }

    @Test func `HTTP 1.0 is answered as it asks`() async throws {
        let handler: Handler = { request in
            request.target.path == "/s"
                ? Response(200, body: .stream(length: nil) { try await $0.write([0x61, 0x62]) }) : .text(200, "abc")
        }
        try await serving(with: handler) { address in
            let client = Client(address)
            let kept = client.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(kept?.header("connection") == "keep-alive" && kept?.text == "abc")
            let stream = client.ask("GET /s HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(stream?.header("transfer-encoding") == nil && stream?.text == "ab")
            let once = Client(address)
            #expect(once.ask("GET / HTTP/1.0\r\n\r\n")?.text == "abc")
            #expect(once.read() == "")
        }
    }
}
