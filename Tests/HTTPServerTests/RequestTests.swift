// What is a request, what isn't, and what becomes of each. Rules: RFC 9112; docs of the framing: Framing.swift.

import HTTP
import HTTPServer
import Testing

@Suite struct RequestTests {
    @Test(arguments: [
        ("GET /a%2Fb/c?x=%2F HTTP/1.1\r\nHost: h\r\n", #"GET ["a/b", "c"]"#),
        ("HEAD /a HTTP/1.1\r\nHost: h\r\n", "200 OK"),
        ("GET /stream HTTP/1.1\r\nHost: h\r\n", "3\r\nabc\r\n0\r\n"),
        ("GET /none HTTP/1.1\r\nHost: h\r\n", "204 No Content"),
        ("GET /fail HTTP/1.1\r\nHost: h\r\n", "500 "), ("GET /later HTTP/1.0\r\n", "/later"),
        (
            "POST /count HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n",
            "5\n"
        ),
    ])
    func `a well-formed request is answered`(head: String, expected: String) async throws {
        try await serving(with: route) { address in
            let client = Client(address)
            client.send(head.replacing("Host", with: "Connection: close\r\nHost") + "\r\n")
            let answer = client.read()
            #expect(answer.contains(expected), "\(answer)")
        }
    }

    @Test(arguments: [
        "POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "POST /count HTTP/1.1\r\nHost: h\r\nContent-Length : 3\r\n\r\nabc",
        "POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\nabc",
        "POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 3x\r\n\r\nabc",
        "POST /count HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST /count HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST /count HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /count HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
        "POST /count HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
        "GET /a\0b HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a HTTP/1.1\r\n\r\n",
        "GET /a HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", "GET /a HTTP/1.1\r\nHost: h\r\nX: a\u{1}b\r\n\r\n",
        "GET /a\r\n\r\n", "GET /a HTTP/3.7\r\nHost: h\r\n\r\n", "GET a HTTP/1.1\r\nHost: h\r\n\r\n",
        "G(T /a HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a HTTP/1.1\r\nHost: h\r\nnonsense\r\n\r\n",
    ])
    func `an ambiguous request is refused and its connection closed`(request: String) async throws {
        try await serving(with: route) { address in
            let client = Client(address)
            client.send(request + "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n")
            let answer = client.read()
            #expect(!answer.contains("smuggled") && !answer.contains("HTTP/1.1 20"), "\(request): \(answer)")
        }
    }

    @Test func `pipelined requests are answered in order`() async throws {
        try await serving(with: route) { address in
            let client = Client(address)
            let body = "POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
            client.send(
                (0..<50).map { "GET /later?\($0) HTTP/1.1\r\nHost: h\r\n\r\n\(body)" }.joined()
                    + "GET /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            let answer = client.read()
            let order = answer.utf8.split(separator: 10).map { String($0)! }.filter { $0.hasPrefix("/later") }
            #expect(order == (0..<50).map { "/later?\($0)" })
            #expect(answer.ranges(of: "HTTP/1.1 201").count == 50)
        }
    }

    @Test(arguments: [
        ("http://h/a/b?x=1", "/a/b|x=1"), ("HTTPS://H/?x", "/|x"), ("/a//b", "/a//b|"), ("/a%2F..%2Fb", "/a%2F..%2Fb|"),
        ("/...", "/...|"),
        ("/.a/b.", "/.a/b.|"), ("//a", "//a|"), ("/?a?b", "/|a?b"),
    ])
    func `a target keeps its form as far as it has a path`(target: String, expected: String) async throws {
        let handler: Handler = { .text(200, "\($0.target.path)|\($0.target.query ?? "")") }
        try await serving(with: handler) { address in
            #expect(Client(address).ask("GET \(target) HTTP/1.1\r\nHost: h\r\n\r\n")?.text == expected)
        }
    }

    @Test func `repeated headers are kept, in order, both ways`() async throws {
        let handler: Handler = { request in
            var response = Response.text(200, request.headers.all("x-a").joined(separator: "|"))
            response.headers.append("Set-Cookie", "a=1")
            response.headers.append("Set-Cookie", "b=2")
            return response
        }
        try await serving(with: handler) { address in
            let answer = Client(address).ask("GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nx-a: 2, 3\r\nX-A:\r\n\r\n")
            #expect(answer?.text == "1|2, 3|")
            #expect(answer?.head.contains("Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n") == true)
        }
    }

    @Test func `a header of ours can't be split by what stands in it`() async throws {
        let handler: Handler = { _ in Response(200, headers: ["X-A": "1\r\nX-Evil: 2", "X-B": "ok"]) }
        try await serving(with: handler) { address in
            let answer = Client(address).ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(answer?.header("x-evil") == nil && answer?.header("x-b") == "ok")
        }
    }

    @Test func `answers without a body say nothing false about its length`() async throws {
        let handler: Handler = { request in
            switch request.target.path {
            case "/304": Response(304, headers: ["ETag": "\"a\""], body: .bytes([1, 2, 3, 4]))
            case "/204": Response(204)
            case "/stream": Response(200, body: .stream(length: nil) { try await $0.write([1]) })
            default: Response(200, body: .bytes([1, 2, 3]))
            }
        }
        try await serving(with: handler) { address in
            let client = Client(address)
            let unmodified = client.ask("GET /304 HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(unmodified?.status == 304 && unmodified?.header("content-length") == "4")
            let nothing = client.ask("GET /204 HTTP/1.1\r\nHost: h\r\n\r\n")
            #expect(nothing?.status == 204 && nothing?.header("content-length") == nil)
            let head = client.ask("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", hasBody: false)
            #expect(head?.header("content-length") == "3")
            let stream = client.ask("HEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n", hasBody: false)
            #expect(stream?.status == 200 && stream?.header("content-length") == nil)
            // Not even the end of a chunked body comes before the next answer.
            #expect(client.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")?.body == [1, 2, 3])
        }
    }
}
