// The answers that no handler makes. Their form: HTTP contract, 1.5 and 1.6.

import Domain
import HTTP
import HTTPServer
import Testing

@Suite struct RefusalTests {
    @Test(arguments: [
        ("GET /a HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", 400, "bad_request"),
        ("GET /a/../b HTTP/1.1\r\nHost: h\r\n\r\n", 400, "bad_request"),
        ("GET /a/%2e%2E HTTP/1.1\r\nHost: h\r\n\r\n", 400, "bad_request"),
        ("GET /./a HTTP/1.1\r\nHost: h\r\n\r\n", 400, "bad_request"),
        ("GET http:///a HTTP/1.1\r\nHost: h\r\n\r\n", 400, "bad_request"),
        ("GET ftp://h/a HTTP/1.1\r\nHost: h\r\n\r\n", 400, "bad_request"),
        ("PUT /a HTTP/1.1\r\nHost: h\r\nContent-Length: 9000000\r\n\r\n", 413, "body_too_large"),
        ("GET /\(String(repeating: "y", count: 40_000)) HTTP/1.1\r\nHost: h\r\n\r\n", 414, "head_too_large"),
        ("GET / HTTP/1.1\r\nHost: h\r\nX: \(String(repeating: "y", count: 40_000))\r\n\r\n", 431, "head_too_large"),
        ("GET /\(String(repeating: "y", count: 60_000)) HTTP/1.1\r\nHost: h\r\n\r\n", 414, "head_too_large"),
        ("GET / HTTP/1.1\r\nHost: h\r\nX: \(String(repeating: "y", count: 60_000))\r\n\r\n", 431, "head_too_large"),
        ("GET /fail HTTP/1.1\r\nHost: h\r\n\r\n", 500, "internal"),
    ])
    func `a refusal is a JSON object with a code`(request: String, status: Int, code: String) async throws {
        try await serving(with: route) { address in
            let answer = Client(address).ask(request)
            #expect(answer?.status == status)
            #expect(answer?.header("content-type") == "application/json; charset=utf-8")
            #expect(UniqueID(answer?.header("x-correlation-id") ?? "") != nil)
            let body = try? JSON(parsing: answer?.body ?? [])
            #expect(body?["error"] == .string(code))
            guard case .string(let message) = body?["message"] else {
                Issue.record("\(String(describing: answer))")
                return
            }
            #expect(!message.isEmpty)
        }
    }

    @Test func `the form of a refusal is the caller's to choose`() async throws {
        var configuration = Server.Configuration.quick
        configuration.refusal = { Response($0, headers: ["X-Form": "mine"], body: .bytes(Array($1.utf8))) }
        try await serving(configuration, with: route) { address in
            let answer = Client(address).ask("GET /a/.. HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(answer?.status == 400 && answer?.header("x-form") == "mine")
        }
    }

    @Test func `what a handler throws isn't told`() async throws {
        struct Secret: Error, CustomStringConvertible { let description = "password=hunter2" }
        let handler: Handler = { _ in throw Secret() }
        try await serving(with: handler) { address in
            let client = Client(address)
            for _ in 0..<2 {  // the connection is kept
                let answer = client.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(answer?.status == 500)
                #expect(answer?.head.contains("hunter2") == false && answer?.text.contains("hunter2") == false)
            }
        }
    }

    @Test(arguments: [0, 99, 100, 101, 199, 600, 1000, -1])
    func `a status that ends no request becomes 500`(status: Int) async throws {
        let handler: Handler = { _ in Response(status) }
        try await serving(with: handler) { address in
            #expect(Client(address).ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")?.status == 500)
        }
    }
}
