// Answers before a request's body has come.

import HTTP
import HTTPServer
import Testing

@Suite struct EarlyAnswerTests {
    @Test(arguments: ["refuse", "refuse-slowly"])
    func `a body that was asked leave for isn't sent when refused`(path: String) async throws {
        try await serving(with: route) { address in
            let client = Client(address)
            client.send("PUT /\(path) HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n")
            let answer = client.read()
            #expect(answer.hasPrefix("HTTP/1.1 401") && answer.contains("Connection: close"), "\(answer)")
            let other = Client(address)
            other.send("PUT /count HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
            #expect(other.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 100"))
            other.send("abc")
            #expect(other.read(until: "3\n").hasPrefix("HTTP/1.1 201"))
        }
    }

    @Test(arguments: ["refuse", "refuse-slowly", "late"])
    func `an answer before a short body's end keeps the connection`(path: String) async throws {
        try await serving(with: route) { address in
            let client = Client(address)
            for _ in 0..<3 {
                client.send("PUT /\(path) HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n")
                client.send([UInt8](repeating: 7, count: 200_000))
                #expect(client.read(until: path == "late" ? "enough\n" : "who?\n").hasPrefix("HTTP/1.1 4"))
            }
        }
    }

    @Test(arguments: ["refuse", "refuse-slowly", "late"], ["Content-Length: 8000000", "Transfer-Encoding: chunked"])
    func `an answer before a long body's end reaches a client that only then reads`(path: String, framing: String)
        async throws
    {
        try await serving(with: route) { address in
            let client = Client(address)
            client.send("PUT /\(path) HTTP/1.1\r\nHost: h\r\n\(framing)\r\n\r\n")
            if framing.hasPrefix("T") { client.send("7A1200\r\n") }
            let sent = client.send([UInt8](repeating: 7, count: 8_000_000))
            let answer = client.read()
            #expect(answer.hasPrefix("HTTP/1.1 4") && answer.contains("Connection: close"), "\(sent) \(answer)")
        }
    }
}
