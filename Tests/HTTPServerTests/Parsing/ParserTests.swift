// The parser, the decoder and the framing decision.

import HTTPServer
import Testing

@Suite struct ParserTests {
    @Test(arguments: RequestTable.all)
    func `a raw request has exactly one outcome`(row: Row) {
        let transcript = Transcript(row.raw)
        #expect(transcript.messages.map(\.body) == row.accepted)
        #expect(transcript.end == row.status.map { .rejected($0) } ?? .complete)
    }

    @Test(arguments: RequestTable.all)
    func `the outcome does not depend on how the bytes arrive`(row: Row) {
        guard row.raw.count < 2000 else { return }
        let whole = Transcript(row.raw)
        for step in [1, 2, 3, 7] { #expect(Transcript(row.raw, step: step) == whole) }
    }

    @Test func `the table has at least 400 rows`() { #expect(RequestTable.all.count >= 400) }

    @Test(arguments: FieldName.allCases.filter { $0 != .other })
    func `a known name is found in any letter case`(name: FieldName) {
        for spelling in [name.spelling, name.spelling.uppercased()] {
            let value =
                name == .host ? "a" : name == .contentLength ? "1" : name == .expect ? "100-continue" : "chunked"
            let host = name == .host ? "" : "Host: a\r\n"
            var parser = HeadParser()
            let bytes = Array("GET / HTTP/1.1\r\n\(host)\(spelling): \(value)\r\n\r\n".utf8)
            #expect(parser.advance(bytes.span) == .complete)
            let found = parser.head.value(of: name).map { String(decoding: bytes[$0.range], as: UTF8.self) }
            #expect(found == value)
        }
    }

    @Test(arguments: ["x-other", "hosu", "host-", "ghost", "accepu", "content-lengti", "a"])
    func `another name is not a known one`(name: String) {
        var parser = HeadParser()
        let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\n\(name): b\r\n\r\n".utf8)
        #expect(parser.advance(bytes.span) == .complete)
        #expect(parser.head.field(at: 1).known == .other)
    }

    @Test(arguments: ["7fffffffffffffff", "7FFFFFFFFFFFFFF0", "07fffffffffffff"])
    func `a chunk may be announced as long as an integer can tell`(size: String) {
        var decoder = ChunkedDecoder()
        let bytes = Array("\(size)\r\nabc".utf8)
        var position = 0
        #expect(decoder.next(bytes.span, at: &position) == .data(bytes.count - 3..<bytes.count))
        #expect(position == bytes.count)
    }

    @Test(arguments: [1, 2, 60, 127], [255, 256])
    func `the extensions of a chunk have at most 255 bytes, however many they are`(extensions: Int, length: Int) {
        let short = String(repeating: ";a", count: extensions)
        let text = short + String(repeating: "b", count: length - short.utf8.count)
        let bytes = Array("0\(text)\r\n".utf8)
        var decoder = ChunkedDecoder()
        var position = 0
        let step = decoder.next(bytes.span, at: &position)
        #expect(step == (length == 255 ? .needsMore : .rejected(.chunkExtensionTooLong)))
    }

    @Test(arguments: Rejection.allCases)
    func `every rejection is a client error or a missing feature`(rejection: Rejection) {
        #expect((400...431).contains(rejection.status) || [501, 505].contains(rejection.status))
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", true), ("GET / HTTP/1.0\r\n\r\n", false),
        ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: a, CLOSE ,b\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", false),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", true),
        ("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false),
    ])
    func `Connection decides whether the connection is kept`(raw: String, isKept: Bool) {
        var parser = HeadParser()
        #expect(parser.advance(Array(raw.utf8).span) == .complete)
        #expect(parser.head.keepsAlive == isKept)
    }
}
