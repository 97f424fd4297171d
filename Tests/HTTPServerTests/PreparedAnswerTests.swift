// Answers without a handler, and their order among those of handlers.

import HTTP
import HTTPServer
import Synchronization
import Testing

@Suite struct PreparedAnswerTests {
    private func configuration(_ answers: [(StaticString, PreparedAnswer)]) -> Server.Configuration {
        var configuration = Server.Configuration.quick
        configuration.prepared = { head, bytes in
            for (path, answer) in answers where bytes.isEqual(path, in: head.path.range) {
                return .prepared(answer)
            }
            return .none
        }
        return configuration
    }

    @Test func `pipelined requests are answered in order, whoever answers`() async throws {
        let prepared = PreparedAnswer(200, headers: ["ETag": "\"p\""], body: .bytes(Array("prepared\n".utf8)))
        let handler: Handler = { request in
            if request.target.path.hasSuffix("3") { await reallyWait() }
            var body: [UInt8] = []
            for try await chunk in request.body { body += chunk }
            return .text(200, "\(request.method) \(request.target) \(String(decoding: body, as: UTF8.self))")
        }
        try await serving(self.configuration([("/p", prepared)]), with: handler) { address in
            let client = Client(address)
            var text = ""
            for index in 0..<50 {
                text += "GET /\(index) HTTP/1.1\r\nHost: h\r\n\r\nGET /p HTTP/1.1\r\nHost: h\r\n\r\n"
                text += "POST /b\(index) HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"
                text += "POST /c\(index) HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
            }
            client.send(text)
            for index in 0..<50 {
                #expect(client.answer()?.text == "GET /\(index) ")
                #expect(client.answer()?.text == "prepared\n")
                #expect(client.answer()?.text == "POST /b\(index) ab")
                #expect(client.answer()?.text == "POST /c\(index) abc")
            }
        }
    }

    @Test(arguments: [0, 1, 16 * 1024, 16 * 1024 + 1, 1_000_000], [true, false])
    func `bytes and files of any size are sent as they are`(length: Int, isFile: Bool) async throws {
        try await withDirectory { directory in
            let file = try TestFile(directory + "/file", length: length + 10)
            let part = Array(file.bytes[5..<5 + length])
            let body = isFile ? PreparedAnswer.Body.file(file.region(5..<5 + length)) : .bytes(part)
            let prepared = PreparedAnswer(200, headers: ["Content-Length": "7", "X-A": "b\r\nX-Evil: c"], body: body)
            let statistics = Server.Statistics()
            let configuration = self.configuration([("/p", prepared)])
            try await serving(configuration, statistics: statistics, with: route) { address in
                let client = Client(address)
                for _ in 0..<3 {
                    let answer = client.ask("GET /p HTTP/1.1\r\nHost: h\r\n\r\n")
                    #expect(answer?.body == part)
                    #expect(answer?.header("x-evil") == nil && answer?.header("x-a") == nil)
                    #expect(answer?.header("date")?.hasSuffix(" GMT") == true)
                }
                let head = client.ask("HEAD /p HTTP/1.1\r\nHost: h\r\n\r\n", hasBody: false)
                #expect(head?.header("content-length") == "\(length)")
                #expect(client.ask("GET /a HTTP/1.1\r\nHost: h\r\n\r\n")?.status == 200)
                #expect(statistics.requests == 5)
                #expect(eventually { statistics.bytesOut >= 3 * length })
                let old = Client(address)
                #expect(old.ask("GET /p HTTP/1.0\r\n\r\n")?.body == part)
                #expect(old.read() == "")
            }
        }
    }

    @Test func `a request with a body is never answered without its handler`() async throws {
        let prepared = PreparedAnswer(200, headers: [:], body: .bytes(Array("prepared".utf8)))
        try await serving(self.configuration([("/count", prepared)]), with: route) { address in
            let client = Client(address)
            let request = "POST /count HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
            #expect(client.ask(request)?.text == "3\n")
        }
    }
}
