// Raw requests, each with its one right outcome.

import Testing

/// A raw request. `accepted` lists the bodies of the messages that are read from it.
struct Row: Sendable, CustomTestStringConvertible {
    let raw: [UInt8]
    let accepted: [String]
    let status: Int?

    var testDescription: String { String(decoding: self.raw.prefix(120), as: UTF8.self).debugDescription }

    static func ok(_ raw: String, _ bodies: [String] = [""]) -> Row {
        Row(raw: Array(raw.utf8), accepted: bodies, status: nil)
    }

    static func no(_ status: Int, _ raw: String, after bodies: [String] = []) -> Row {
        Row(raw: Array(raw.utf8), accepted: bodies, status: status)
    }

    static func no(_ status: Int, bytes raw: [UInt8], after bodies: [String] = []) -> Row {
        Row(raw: raw, accepted: bodies, status: status)
    }
}

/// A request with these header lines, each with its end; the final empty line is added.
private func get(_ lines: String, version: String = "1.1", host: String = "Host: a\r\n") -> String {
    "GET / HTTP/\(version)\r\n\(host)\(lines)\r\n"
}

private func post(_ lines: String, _ body: String, version: String = "1.1") -> String {
    "POST / HTTP/\(version)\r\nHost: a\r\n\(lines)\r\n\(body)"
}

private func chunked(_ body: String) -> String { post("Transfer-Encoding: chunked\r\n", body) }

enum RequestTable {
    static let all =
        Self.requestLines + Self.fields + Self.hosts + Self.lengths + Self.codings + Self.chunks + Self.controls

    static let requestLines: [Row] = [
        .ok("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .ok("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .ok("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n", ["", ""]),
        .ok("GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n", ["", ""]),
        .ok("HEAD /a/b?c=d&e=%20 HTTP/1.1\r\nHost: a\r\n\r\n"),
        .ok("PUT / HTTP/1.1\r\nHost: a\r\n\r\n"), .ok("POST / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .ok("PATCH / HTTP/1.1\r\nHost: a\r\n\r\n"), .ok("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .ok("OPTIONS / HTTP/1.1\r\nHost: a\r\n\r\n"), .ok("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
        .ok("GET / HTTP/1.0\r\n\r\n"), .ok("GET / HTTP/1.0\r\nHost: a\r\n\r\n"),
        .ok("GET /@scope%2Fname/-/x~y!$&'()*+,;=:@ HTTP/1.1\r\nHost: a\r\n\r\n"),
        .ok("GET //a//b HTTP/1.1\r\nHost: a\r\n\r\n"),
        .no(400, "\n"), .no(400, "\r\r\n"), .no(400, "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .no(400, "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), .no(400, " GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .no(400, "\tGET / HTTP/1.1\r\nHost: a\r\n\r\n"), .no(400, "\0GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .no(400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), .no(400, "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"),
        .no(400, "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"), .no(400, "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n"),
        .no(400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"), .no(400, "GET / HTTP/1.1\t\r\nHost: a\r\n\r\n"),
        .no(400, "GET / HTTP/1.1\nHost: a\r\n\r\n"), .no(400, "GET / HTTP/1.1\rHost: a\r\n\r\n"),
        .no(400, "GET / HTTP/1.1\r\rHost: a\r\n\r\n"), .no(400, "GET /\r\n\r\n"), .no(400, "GET /\n"),
        .no(400, "GET\r\n\r\n"), .no(400, "GET \r\n\r\n"), .no(400, "GET / \r\n\r\n"), .no(400, "GET / HTTP\r\n\r\n"),
        .no(400, "GET / HTTP/1\r\n\r\n"), .no(400, "GET / HTTP/1.\r\n\r\n"), .no(400, "GET / HTTP/.1\r\n\r\n"),
        .no(400, "GET / HTTP/11\r\n\r\n"), .no(400, "GET / HTTP/1.1.\r\n\r\n"), .no(400, "GET / HTTP/1.10\r\n\r\n"),
        .no(400, "GET / HTTP/01.1\r\n\r\n"), .no(400, "GET / http/1.1\r\n\r\n"), .no(400, "GET / Http/1.1\r\n\r\n"),
        .no(400, "GET / HTTPS/1.1\r\n\r\n"), .no(400, "GET / HTTP/1,1\r\n\r\n"), .no(400, "GET / HTTP/a.b\r\n\r\n"),
        .no(400, "GET / HTTP/+1.1\r\n\r\n"), .no(400, "GET / HTTP 1.1\r\n\r\n"), .no(400, "GET / a HTTP/1.1\r\n\r\n"),
        .no(505, "GET / HTTP/2.0\r\n\r\n"), .no(505, "GET / HTTP/0.9\r\n\r\n"), .no(505, "GET / HTTP/1.2\r\n\r\n"),
        .no(505, "GET / HTTP/3.0\r\n\r\n"), .no(505, "GET / HTTP/9.9\r\n\r\n"),
        .no(505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        .no(501, "FOO / HTTP/1.1\r\nHost: a\r\n\r\n"), .no(501, "get / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .no(501, "GETT / HTTP/1.1\r\nHost: a\r\n\r\n"), .no(501, "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .no(501, "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"), .no(501, "G / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .no(501, String(repeating: "A", count: 40) + " / HTTP/1.1\r\n\r\n"),
        .no(501, "AAAAAGET / HTTP/1.1\r\nHost: a\r\n\r\n"), .no(501, "AAAAAAAAAAAAAGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .no(400, "G@T / HTTP/1.1\r\nHost: a\r\n\r\n"), .no(400, "GE(T / HTTP/1.1\r\nHost: a\r\n\r\n"),
        .no(400, "GET: / HTTP/1.1\r\nHost: a\r\n\r\n"), .no(400, "\u{16}\u{3}\u{1}\u{2}\0"),
        .no(400, "GET a HTTP/1.1\r\nHost: a\r\n\r\n"), .no(400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
        .no(400, "OPTIONS ** HTTP/1.1\r\nHost: a\r\n\r\n"), .no(400, "GET ?a HTTP/1.1\r\nHost: a\r\n\r\n"),
        .no(400, "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"), .no(400, "GET # HTTP/1.1\r\nHost: a\r\n\r\n"),
        .no(400, "GET /\u{7F} HTTP/1.1\r\nHost: a\r\n\r\n"), .no(400, "GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n"),
        .no(400, "GET /é HTTP/1.1\r\nHost: a\r\n\r\n"), .no(400, "GET /\u{1} HTTP/1.1\r\nHost: a\r\n\r\n"),
        .no(414, "GET /\(String(repeating: "a", count: 8192)) HTTP/1.1\r\nHost: a\r\n\r\n"),
        .ok("GET /\(String(repeating: "a", count: 8191)) HTTP/1.1\r\nHost: a\r\n\r\n"),
    ]

    static let fields: [Row] = [
        .ok(get("A: b\r\n")), .ok(get("A:b\r\n")), .ok(get("A:\r\n")), .ok(get("A: \r\n")), .ok(get("A: \t b \t \r\n")),
        .ok(get("A: b\tc\r\n")), .ok(get("!#$%&'*+-.^_`|~09azAZ: b\r\n")), .ok(get("A: \"(),/:;<=>?@[\\]{}\"\r\n")),
        .ok(get("A: é\r\n")), .ok(get("Accept: a\r\nAccept: b\r\n")), .ok(get("A: :b\r\n")),
        .no(400, get("A : b\r\n")), .no(400, get("A\t: b\r\n")), .no(400, get(": b\r\n")), .no(400, get("A\r\n")),
        .no(400, get("A b: c\r\n")), .no(400, get(" A: b\r\n")), .no(400, get("A: b\r\n c\r\n")),
        .no(400, get("A: b\r\n\tc\r\n")), .no(400, get("A:\r\n b\r\n")), .no(400, get("A: b\r\n \r\n")),
        .no(400, get("A: b\n")), .no(400, get("A: b\r")), .no(400, get("A: b\rc\r\n")), .no(400, get("A: b\r\r\n")),
        .no(400, get("A\n: b\r\n")), .no(400, get("A\r\n: b\r\n")), .no(400, get("A: b\0\r\n")),
        .no(400, get("A\0: b\r\n")), .no(400, get("\0: b\r\n")), .no(400, get("\0\r\n")),
        .no(400, get("A: \u{7F}\r\n")),
        .no(400, get("A: \u{B}\r\n")), .no(400, get("A: \u{C}\r\n")), .no(400, get("A\u{7F}: b\r\n")),
        .no(400, get("é: b\r\n")), .no(400, get("(A): b\r\n")), .no(400, get("A,B: c\r\n")),
        .no(400, get("A/B: c\r\n")),
        .no(400, get("A;B: c\r\n")), .no(400, get("A=B\r\n")), .no(400, get("A@: c\r\n")), .no(400, get("[A]: c\r\n")),
        .no(400, get("\"A\": c\r\n")), .no(400, get("{A}: c\r\n")), .no(400, get("A\\: c\r\n")),
        .no(400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"), .no(400, "GET / HTTP/1.1\r\n\tHost: a\r\n\r\n"),
        .no(400, "GET / HTTP/1.1\r\nHost: a\r\n\n"), .no(400, "GET / HTTP/1.1\r\nHost: a\n\r\n"),
        .no(400, "GET / HTTP/1.1\r\nHost: a\r\n\rX"), .no(400, "GET / HTTP/1.1\r\nHost: a\n\n"),
        .no(431, get("A: \(String(repeating: "b", count: 32768))\r\n")),
        .no(431, get(String(repeating: "A: b\r\n", count: 512))),
        .ok(get(String(repeating: "A: b\r\n", count: 511))),
        .no(431, "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "A", count: 40_000)),
        .ok(get("Expect: 100-continue\r\n")), .ok(get("Expect: 100-Continue\r\n")), .no(417, get("Expect: x\r\n")),
        .no(417, get("Expect: 100-continue, x\r\n")), .no(417, get("Expect:\r\n")),
        .ok(get("Expect: x\r\n", version: "1.0")), .ok(get("Connection: close, upgrade\r\n")),
        .ok(get("Connection: ,,close\r\n")), .ok(get("Upgrade: h2c\r\nConnection: upgrade\r\n")),
    ]

    static let hosts: [Row] = [
        .no(400, get("", host: "")), .ok(get("", version: "1.0", host: "")), .no(400, get("Host: a\r\n")),
        .no(400, get("Host: b\r\n")), .no(400, get("Host: a\r\n", version: "1.0")),
        .no(400, get("", host: "Host:\r\n")),
        .no(400, get("", host: "Host: \r\n")), .ok(get("", host: "hOsT: a\r\n")), .ok(get("", host: "Host:a:80\r\n")),
        .ok(get("", host: "Host: a.b-c_d.e:65535\r\n")), .ok(get("", host: "Host: 127.0.0.1\r\n")),
        .ok(get("", host: "Host: [::1]\r\n")), .ok(get("", host: "Host: [::ffff:127.0.0.1]:80\r\n")),
        .ok(get("", host: "Host: a:\r\n")), .no(400, get("", host: "Host: a b\r\n")),
        .no(400, get("", host: "Host: a,b\r\n")), .no(400, get("", host: "Host: a/b\r\n")),
        .no(400, get("", host: "Host: u@a\r\n")), .no(400, get("", host: "Host: a:b\r\n")),
        .no(400, get("", host: "Host: a:80:80\r\n")), .no(400, get("", host: "Host: :80\r\n")),
        .no(400, get("", host: "Host: [::1\r\n")), .no(400, get("", host: "Host: []\r\n")),
        .no(400, get("", host: "Host: [g]\r\n")), .no(400, get("", host: "Host: [::1]x\r\n")),
        .no(400, get("", host: "Host: a?b\r\n")), .no(400, get("", host: "Host: a#b\r\n")),
        .no(400, get("", host: "Host: http://a\r\n")), .no(400, get("", host: "Host: a:123456\r\n")),
        .no(400, get("", host: "Host:\ta\r\n")), .no(400, get("", host: "Host: a \t\r\n")),
        .no(400, get("", host: "Host: é\r\n")), .no(400, get("", host: "Host : a\r\n")),
        .ok("GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n"), .ok("GET HTTP://A/b HTTP/1.1\r\nHost: a\r\n\r\n"),
        .ok("GET https://a:443/b HTTP/1.1\r\nHost: a:443\r\n\r\n"), .ok("GET http://a/ HTTP/1.0\r\n\r\n"),
        .no(400, "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"), .no(400, "GET http://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        .no(400, "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n"), .no(400, "GET http://a?b HTTP/1.1\r\nHost: a\r\n\r\n"),
        .no(400, "GET http:///b HTTP/1.1\r\nHost: a\r\n\r\n"), .no(400, "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        .no(400, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"), .no(400, "GET http:/a HTTP/1.1\r\nHost: a\r\n\r\n"),
        .no(400, "GET http://a/ HTTP/1.1\r\n\r\n"), .no(400, "GET http:// HTTP/1.1\r\nHost: a\r\n\r\n"),
    ]

    static let lengths: [Row] = [
        .ok(post("Content-Length: 3\r\n", "abc"), ["abc"]), .ok(post("Content-Length: 0\r\n", ""), [""]),
        .ok(post("content-LENGTH:3\r\n", "abc"), ["abc"]), .ok(post("Content-Length: 003\r\n", "abc"), ["abc"]),
        .ok(post("Content-Length: 3 \r\n", "abc") + get(""), ["abc", ""]),
        .ok(post("Content-Length: 3\r\n", "abc", version: "1.0"), ["abc"]),
        .ok(get("Content-Length: 2\r\n") + "ab", ["ab"]),
        .no(400, post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc")),
        .no(400, post("Content-Length: 3\r\nContent-Length: 4\r\n", "abc")),
        .no(400, post("Content-Length: 3, 3\r\n", "abc")), .no(400, post("Content-Length: 3,\r\n", "abc")),
        .no(400, post("Content-Length: ,3\r\n", "abc")), .no(400, post("Content-Length: +3\r\n", "abc")),
        .no(400, post("Content-Length: -3\r\n", "abc")), .no(400, post("Content-Length: -0\r\n", "")),
        .no(400, post("Content-Length: 3x\r\n", "abc")), .no(400, post("Content-Length: 0x3\r\n", "abc")),
        .no(400, post("Content-Length: 3.0\r\n", "abc")), .no(400, post("Content-Length: 1 2\r\n", "abc")),
        .no(400, post("Content-Length: 1\t2\r\n", "abc")), .no(400, post("Content-Length:\r\n", "abc")),
        .no(400, post("Content-Length: \r\n", "abc")), .no(400, post("Content-Length: a\r\n", "abc")),
        .no(400, post("Content-Length: 1_0\r\n", "abc")), .no(400, post("Content-Length: 1e1\r\n", "abc")),
        .no(400, post("Content-Length: \"3\"\r\n", "abc")), .no(400, post("Content-Length: 3;\r\n", "abc")),
        .no(400, post("Content-Length: 9223372036854775808\r\n", "abc")),
        .no(400, post("Content-Length: 18446744073709551619\r\n", "abc")),
        .no(400, post("Content-Length: 00000000000000000003\r\n", "abc")),
        .no(400, post("Content-Length: 99999999999999999999999\r\n", "abc")),
        .no(400, post("Content-Length:\r\n 5\r\n", "abcde")), .no(400, post("Content-Length : 3\r\n", "abc")),
        .no(400, post("Content-Length\r\n", "abc")), .no(400, post("Content-Length: 5\0\r\nX: 99\r\n", "abcde")),
        .no(400, post("Content-Length:\t3\r\n", "abc")), .no(400, post("Content-Length: 3 \t\r\n", "abc")),
        .no(400, post("Content-Length: \u{B}3\r\n", "abc")), .no(400, post("Content-Length: ３\r\n", "abc")),
        .no(400, post("Content-Length: 3\r\n", "abcGET / HTTP/1.1\r\n\r\n"), after: ["abc"]),
    ]

    static let codings: [Row] = [
        .ok(chunked("0\r\n\r\n"), [""]), .ok(post("transfer-encoding:CHUNKED\r\n", "1\r\na\r\n0\r\n\r\n"), ["a"]),
        .no(400, post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n")),
        .no(400, post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
        .no(400, post("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
        .no(400, post("Content-Length: 3\r\nTransfer-Encoding: identity\r\n", "abc")),
        .no(400, post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
        .no(400, post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
        .no(400, post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n", version: "1.0")),
        .no(400, post("Transfer-Encoding: gzip\r\n", "", version: "1.0")),
        .no(501, post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")),
        .no(501, post("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n")),
        .no(501, post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n")),
        .no(501, post("Transfer-Encoding: chunked,\r\n", "0\r\n\r\n")),
        .no(501, post("Transfer-Encoding: ,chunked\r\n", "0\r\n\r\n")),
        .no(501, post("Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\n")),
        .no(501, post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")),
        .no(501, post("Transfer-Encoding: chunkedx\r\n", "0\r\n\r\n")),
        .no(501, post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n")),
        .no(501, post("Transfer-Encoding:\tchunked\r\n", "0\r\n\r\n")),
        .no(501, post("Transfer-Encoding: chunked \t\r\n", "0\r\n\r\n")),
        .no(501, post("Transfer-Encoding: identity\r\n", "")), .no(501, post("Transfer-Encoding:\r\n", "")),
        .no(501, post("Transfer-Encoding: chun ked\r\n", "0\r\n\r\n")),
        .no(400, post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n")),
        .no(400, post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n")),
        .no(400, post("Transfer-Encoding: \u{B}chunked\r\n", "0\r\n\r\n")),
        .no(400, post("Transfer-Encoding: chunked\0\r\n", "0\r\n\r\n")),
        .no(400, post("\0Transfer-Encoding: chunked\r\n", "0\r\n\r\n")),
        .ok(post("Transfer_Encoding: chunked\r\n", ""), [""]),
    ]

    static let chunks: [Row] = [
        .ok(chunked("3\r\nabc\r\n0\r\n\r\n"), ["abc"]), .ok(chunked("1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"), ["abc"]),
        .ok(chunked("A\r\n0123456789\r\n0\r\n\r\n"), ["0123456789"]),
        .ok(chunked("a\r\n0123456789\r\n000\r\n\r\n"), ["0123456789"]),
        .ok(chunked("0003\r\nabc\r\n0\r\n\r\n"), ["abc"]), .ok(chunked("3\r\n\r\n\n\r\n0\r\n\r\n"), ["\r\n\n"]),
        .ok(chunked("3;a\r\nabc\r\n0\r\n\r\n"), ["abc"]),
        .ok(chunked("3;a=b;c=\"d;\\\"\"\r\nabc\r\n0;x\r\n\r\n"), ["abc"]),
        .ok(chunked("0\r\nA: b\r\nC: d\r\n\r\n"), [""]), .ok(chunked("0\r\n\r\n") + get(""), ["", ""]),
        .no(400, chunked("0\r\nContent-Length: 5\r\n\r\n") + get("")),
        .no(400, chunked("0\r\nTRANSFER-encoding: x\r\n\r\n")),
        .ok(chunked("0\r\nContent-Lengths: 5\r\nContent-Lengt: 5\r\n\r\n"), [""]),
        .no(400, chunked("\r\n")), .no(400, chunked(" 3\r\nabc\r\n0\r\n\r\n")),
        .no(400, chunked("3 \r\nabc\r\n0\r\n\r\n")),
        .no(400, chunked("3\t\r\nabc\r\n0\r\n\r\n")), .no(400, chunked("+3\r\nabc\r\n0\r\n\r\n")),
        .no(400, chunked("-3\r\nabc\r\n0\r\n\r\n")), .no(400, chunked("0x3\r\nabc\r\n0\r\n\r\n")),
        .no(400, chunked("3h\r\nabc\r\n0\r\n\r\n")), .no(400, chunked("g\r\nabc\r\n0\r\n\r\n")),
        .no(400, chunked("3\nabc\r\n0\r\n\r\n")), .no(400, chunked("3\rabc\r\n0\r\n\r\n")),
        .no(400, chunked("3\r\nabc\n0\r\n\r\n")), .no(400, chunked("3\r\nabcd\r\n0\r\n\r\n")),
        .no(400, chunked("3\r\nabc0\r\n\r\n")), .no(400, chunked("3\r\nabc\r0\r\n\r\n")),
        .no(400, chunked("3\r\nabc\r\n\r\n0\r\n\r\n")), .no(400, chunked("8000000000000000\r\n")),
        .no(400, chunked("ffffffffffffffff\r\n")), .no(400, chunked("10000000000000000\r\n")),
        .no(400, chunked("00000000000000003\r\nabc\r\n")), .no(400, chunked("3;\r\nabc\r\n0\r\n\r\n")),
        .no(400, chunked("3; a\r\nabc\r\n0\r\n\r\n")), .no(400, chunked("3 ;a\r\nabc\r\n0\r\n\r\n")),
        .no(400, chunked("3;a=\r\nabc\r\n0\r\n\r\n")), .no(400, chunked("3;=b\r\nabc\r\n0\r\n\r\n")),
        .no(400, chunked("3;a=b=c\r\nabc\r\n0\r\n\r\n")), .no(400, chunked("3;a=\"b\r\nabc\r\n0\r\n\r\n")),
        .no(400, chunked("3;a=\"b\"c\r\nabc\r\n0\r\n\r\n")), .no(400, chunked("3;a\nabc\r\n0\r\n\r\n")),
        .no(400, chunked("3;a\0\r\nabc\r\n0\r\n\r\n")), .no(400, chunked("3;a;\r\nabc\r\n0\r\n\r\n")),
        .no(400, chunked("3;\(String(repeating: "a", count: 300))\r\nabc\r\n0\r\n\r\n")),
        .no(400, chunked("0\r\nA : b\r\n\r\n")), .no(400, chunked("0\r\n: b\r\n\r\n")),
        .no(400, chunked("0\r\nA\r\n\r\n")),
        .no(400, chunked("0\r\nA: b\n\r\n")), .no(400, chunked("0\r\nA: b\r\n c\r\n\r\n")),
        .no(400, chunked("0\r\nA: \0\r\n\r\n")), .no(400, chunked("0\r\n\n")), .no(400, chunked("0\n\n")),
        .no(400, chunked("0\r\n\rX")), .no(400, chunked("0\r\n\0\r\n")),
        .no(431, chunked("0\r\nA: \(String(repeating: "b", count: 9000))\r\n\r\n")),
        .no(400, chunked("0\r\n\r\n") + "\0", after: [""]),
    ]

    /// Every control character but tab, in the target, in a name and in a value.
    static let controls: [Row] = {
        var rows: [Row] = []
        for byte in UInt8(0)...0x1F where ![0x09, 0x0A, 0x0D].contains(byte) {
            let sign = [byte]
            rows.append(.no(400, bytes: Array("GET /a".utf8) + sign + Array("b HTTP/1.1\r\nHost: a\r\n\r\n".utf8)))
            rows.append(.no(400, bytes: Array(get("A|B: c\r\n").utf8).replacing(0x7C, with: byte)))
            rows.append(.no(400, bytes: Array(get("A: b|c\r\n").utf8).replacing(0x7C, with: byte)))
        }
        return rows
    }()
}

extension [UInt8] {
    fileprivate func replacing(_ old: UInt8, with new: UInt8) -> [UInt8] { self.map { $0 == old ? new : $0 } }
}
