// What the server does with each raw request of the table that it rejects.

import Domain
import HTTP
import HTTPServer
import Synchronization
import Testing

@Suite struct RejectionTests {
    @Test func `a rejected request is answered once as JSON, and what follows it is not served`() async throws {
        let served = Atomic(0)
        let events = Mutex<[String]>([])
        let handler: Handler = { request in
            let body = try await request.body.collect(upTo: 1 << 20)
            served.add(1, ordering: .relaxed)
            return .text(200, String(decoding: body, as: UTF8.self))
        }
        var configuration = Server.Configuration.quick
        configuration.observe = { event in
            guard case .rejected(let status, _, let address, let correlation) = event else { return }
            events.withLock { $0.append("\(status) \(address) \(correlation ?? "none")") }
        }
        try await serving(configuration, with: handler) { address in
            for row in RequestTable.all where row.raw.count < 20_000 {
                guard let status = row.status else { continue }
                let before = served.load(ordering: .relaxed)
                let client = Client(address)
                client.send(row.raw + Array("\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
                for body in row.accepted { #expect(client.answer()?.text == body) }
                let answer = client.answer()
                #expect(answer?.status == status, "\(row.testDescription)")
                #expect(answer?.header("connection") == "close")
                #expect(answer?.header("content-type") == "application/json; charset=utf-8")
                let document = try? JSON(parsing: answer?.body ?? [])
                #expect(document?["error"] != nil && document?["message"] != nil, "\(row.testDescription)")
                let correlation = answer?.header("x-correlation-id") ?? ""
                #expect(events.withLock { $0 } == ["\(status) 127.0.0.1 \(correlation)"], "\(row.testDescription)")
                events.withLock { $0 = [] }
                #expect(client.read() == "")
                #expect(served.load(ordering: .relaxed) - before == row.accepted.count, "\(row.testDescription)")
            }
        }
    }

    @Test func `a request of the table that is well-formed is served`() async throws {
        let handler: Handler = { request in
            let body = try await request.body.collect(upTo: 1 << 20)
            return .text(200, String(decoding: body, as: UTF8.self))
        }
        try await serving(with: handler) { address in
            for row in RequestTable.all where row.status == nil && row.accepted.count > 0 {
                let text = String(decoding: row.raw, as: UTF8.self)
                guard !text.hasPrefix("HEAD"), !text.hasPrefix("OPTIONS *") else { continue }
                let client = Client(address)
                client.send(row.raw)
                for body in row.accepted { #expect(client.answer()?.text == body, "\(row.testDescription)") }
            }
        }
    }

    @Test(arguments: 10...20)
    func `a rejection behind many answers finds room`(count: Int) async throws {
        let prepared = PreparedAnswer(200, headers: [:], body: .bytes([UInt8](repeating: 0x61, count: 4096)))
        var configuration = Server.Configuration.quick
        configuration.prepared = { _, _ in .prepared(prepared) }
        try await serving(configuration, with: route) { address in
            let client = Client(address)
            client.send(String(repeating: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", count: count) + "x\n")
            for _ in 0..<count { #expect(client.answer()?.body.count == 4096) }
            #expect(client.answer()?.status == 400)
            #expect(client.read() == "")
        }
    }

    @Test func `OPTIONS for the whole server is answered by the server`() async throws {
        try await serving(with: route) { address in
            let client = Client(address)
            let answer = client.ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(answer?.status == 204 && answer?.header("allow")?.contains("DELETE") == true)
            #expect(answer?.header("content-length") == nil)
            #expect(client.ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n")?.status == 200)
            #expect(client.ask("OPTIONS * HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")?.status == 400)
        }
    }
}
