// What a request says of where it comes from is believed only of trusted proxies. Rules: HTTP contract, section 5.

import Domain
import HTTP
import Testing

@testable import API

@Suite struct ForwardingTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var remote = "10.0.0.1"
        var headers: [(String, String)] = []
        var isSecure = false
        var publicURL: String?
        let address: String
        let base: String
        let testDescription: String
    }

    static let cases: [Case] = [
        Case(
            remote: "192.0.2.7", headers: [("Host", "a.example:8080")], address: "192.0.2.7",
            base: "http://a.example:8080", testDescription: "no proxy"),
        Case(
            remote: "192.0.2.7", headers: [("Host", "a.example")], isSecure: true, address: "192.0.2.7",
            base: "https://a.example", testDescription: "TLS here"),
        Case(
            remote: "192.0.2.7",
            headers: [
                ("Host", "a.example"), ("X-Forwarded-For", "8.8.8.8"), ("X-Forwarded-Host", "evil.example"),
                ("X-Forwarded-Proto", "https"), ("X-Forwarded-Prefix", "/evil"),
            ], address: "192.0.2.7", base: "http://a.example", testDescription: "somebody who is no proxy"),
        Case(
            headers: [
                ("Host", "inner:1"), ("X-Forwarded-For", "8.8.8.8"), ("X-Forwarded-Host", "a.example"),
                ("X-Forwarded-Proto", "https"), ("X-Forwarded-Prefix", "/repo/"),
            ], address: "8.8.8.8", base: "https://a.example/repo", testDescription: "a trusted proxy"),
        Case(
            headers: [("Host", "a.example"), ("X-Forwarded-For", "6.6.6.6, 8.8.8.8, 10.0.0.2")], address: "8.8.8.8",
            base: "http://a.example", testDescription: "two proxies, and what the client made up"),
        Case(
            headers: [("Host", "a.example"), ("X-Forwarded-For", "8.8.8.8"), ("X-Forwarded-For", "[2001:db8::1]:80")],
            address: "2001:db8::1", base: "http://a.example", testDescription: "the header twice, with a port"),
        Case(
            headers: [("Host", "a.example"), ("X-Forwarded-For", "<script>")], address: "10.0.0.1",
            base: "http://a.example", testDescription: "no address"),
        Case(
            headers: [("Host", "a.example"), ("X-Forwarded-Host", "evil/path?"), ("X-Forwarded-Prefix", "//evil")],
            address: "10.0.0.1", base: "http://a.example", testDescription: "no host, no prefix"),
        Case(
            remote: "192.0.2.7", headers: [("Host", "a b@c")], address: "192.0.2.7", base: "http://127.0.0.1:8080",
            testDescription: "a Host that is none"),
        Case(
            remote: "192.0.2.7", headers: [("Host", "a.example")], publicURL: "https://public.example/x",
            address: "192.0.2.7", base: "https://public.example/x", testDescription: "publicUrl"),
    ]

    @Test(arguments: cases)
    func `address and base are those of the nearest that is no proxy`(sample: Case) {
        let forwarding = Forwarding(
            publicURL: sample.publicURL, isTrusted: { $0.hasPrefix("10.") }, fallback: "127.0.0.1:8080")
        var headers: Headers = [:]
        for (name, value) in sample.headers { headers.append(name, value) }
        let request = Request(
            method: "GET", target: Target("/"), headers: headers, remoteAddress: sample.remote,
            isSecure: sample.isSecure, body: RequestBody([]))
        let original = forwarding.original(request)
        #expect(original.remoteAddress == sample.address)
        #expect(forwarding.origin(of: request).url(for: original) == sample.base)
    }
}
