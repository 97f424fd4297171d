// The fields of an answer that are the server's own.

import HTTP
import HTTPServer
import Testing

@Suite struct FramingFieldsTests {
    @Test func `a handler's own framing fields are left out`() async throws {
        let handler: Handler = { _ in
            Response(
                200,
                headers: [
                    "content-length": "1", "Transfer-Encoding": "chunked", "CONNECTION": "upgrade", "Date": "today",
                    "Keep-Alive": "timeout=1", "X-Kept": "yes", "": "empty", "X Y": "blank", "X-Z": "a\0b",
                ], body: .bytes([1, 2, 3]))
        }
        try await serving(with: handler) { address in
            let client = Client(address)
            for _ in 0..<2 {
                let answer = client.ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                #expect(answer?.body == [1, 2, 3])
                let names = answer?.head.split(separator: "\r\n").dropFirst().map { $0.split(separator: ":")[0] }
                #expect(names == ["X-Kept", "Content-Length", "Date"])
            }
        }
    }

    @Test(arguments: ["GET", "HEAD"], [200, 204, 304])
    func `a length is told exactly if it is that of a body`(method: String, status: Int) async throws {
        let handler: Handler = { request in
            switch request.target.path {
            case "/empty": Response(status)
            case "/stream": Response(status, body: .stream(length: nil) { try await $0.write([1]) })
            default: Response(status, body: .bytes([1, 2, 3]))
            }
        }
        try await serving(with: handler) { address in
            let client = Client(address)
            let hasBody = method == "GET" && status == 200
            for _ in 0..<2 {
                let full = client.ask(method, "/full", hasBody: hasBody)
                #expect(full?.status == status)
                #expect(full?.header("content-length") == (status == 204 ? nil : "3"))
                let empty = client.ask(method, "/empty", hasBody: hasBody)
                #expect(empty?.header("content-length") == (status == 200 ? "0" : nil))
                let stream = client.ask(method, "/stream", hasBody: hasBody)
                #expect(stream?.header("content-length") == nil)
                #expect(stream?.header("transfer-encoding") == (status == 200 ? "chunked" : nil))
                #expect(full?.header("transfer-encoding") == nil && empty?.header("transfer-encoding") == nil)
            }
        }
    }

    @Test func `received fields are found whatever their letters, and can be changed`() async throws {
        let handler: Handler = { request in
            var headers = request.headers
            let before = "\(headers["X-ONE"] ?? "-")|\(headers["two"] ?? "-")|\(headers.all("x-one").count)"
            headers.set("x-one", "new")
            headers.append("X-Two", "b")
            let after = headers.fields.filter { $0.name.lowercased().hasPrefix("x-") }.map { "\($0.name)=\($0.value)" }
            return .text(200, "\(before) \(after.joined(separator: ","))")
        }
        try await serving(with: handler) { address in
            let answer = Client(address).ask("GET / HTTP/1.1\r\nHost: h\r\nx-One: 1\r\nX-oNe: 2\r\n\r\n")
            #expect(answer?.text == "1|-|2 x-one=new,X-Two=b")
        }
    }
}

extension Client {
    fileprivate func ask(_ method: String, _ path: String, hasBody: Bool) -> Answer? {
        self.ask("\(method) \(path) HTTP/1.1\r\nHost: h\r\n\r\n", hasBody: hasBody)
    }
}
