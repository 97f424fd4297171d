// How answers are sent.

import HTTP
import HTTPServer
import Testing

@Suite struct ResponseTests {
    @Test(arguments: ["/short", "/broken"])
    func `a body that ends early isn't taken for whole`(path: String) async throws {
        try await serving(with: route) { address in
            let client = Client(address)
            client.send("GET \(path) HTTP/1.1\r\nHost: h\r\n\r\n")
            let answer = client.read()
            #expect(answer.hasSuffix("abc") || answer.hasSuffix("abc\r\n"), "\(answer)")
        }
    }

    /// One kept connection sends streams of both kinds, each after the one before has been read whole.
    @Test(arguments: [[nil, 3, nil, 3], [3, nil, 3, 3]] as [[Int?]])
    func `a stream is framed by its own length, not by the one before`(lengths: [Int?]) async throws {
        let handler: Handler = { request in
            let length = Int(request.target.query ?? "")
            return Response(200, body: .stream(length: length) { try await $0.write(Array("xyz".utf8)) })
        }
        try await serving(with: handler) { address in
            let client = Client(address)
            for length in lengths {
                client.send("GET /s?\(length.map(String.init) ?? "none") HTTP/1.1\r\nHost: h\r\n\r\n")
                let end = length == nil ? "\r\n\r\n3\r\nxyz\r\n0\r\n\r\n" : "\r\n\r\nxyz"
                let answer = client.read(until: end)
                #expect(answer.hasSuffix(end) && answer.contains("Content-Length: 3") == (length == 3), "\(answer)")
            }
        }
    }
}
