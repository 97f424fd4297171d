// How text is taken apart for the search, when work is tried again, what a webhook's URL names.

import Domain
import Testing

@Suite struct SearchWordTests {
    @Test(arguments: [
        ("left-pad 1.2.3", ["left-pad", "left", "pad", "1.2.3", "1", "2", "3"]),
        ("org.Apache/Commons_IO", ["org.apache", "org", "apache", "commons", "io"]),
        (#"{"name":"x","tags":["Ünï","-a-","..b"]}"#, ["name", "x", "tags", "ünï", "a", "b"]),
        ("a--b", ["a", "b"]), ("", []), ("?! -", []), ("日本 x", ["日本", "x"]),
    ])
    func `a document's words are its runs, and the parts of those that are held together`(
        text: String, words: [String]
    ) {
        #expect(SearchWords.all(in: text) == words)
    }

    @Test(arguments: [
        ("Left-Pad", ["left-pad"]), ("left pad LEFT", ["left", "pad"]), ("a/b", ["a", "b"]), ("'; DROP", ["drop"]),
        ("?", []),
    ])
    func `a query asks for each run once`(text: String, words: [String]) {
        #expect(SearchWords.asked(in: text) == words)
    }

    @Test func `a word has no more than 128 bytes, and whole characters`() throws {
        let word = try #require(SearchWords.all(in: String(repeating: "ü", count: 1000)).first)
        #expect(word == String(repeating: "ü", count: 64))
        #expect(String(repeating: "ü", count: 10).cut(toBytes: 5) == "üü")
    }

    @Test func `likeness is pg_trgm's`() {
        #expect(Similarity.of("word", "two words") == 4.0 / 11)  // the example of its manual
        #expect(Similarity.of("left-pad", "left-pad") == 1)
        #expect(Similarity.of("left-pad", "leftpad") > Similarity.threshold)
        #expect(Similarity.of("left-pad", "requests") < Similarity.threshold)
        #expect(Similarity.of("", "") == 0)
    }

    @Test func `the back-off is the contract's, and at most a tenth more`() {
        let delays = (1...8).map { BackOff.standard.delay(after: $0) }
        #expect(delays == [30, 60, 120, 240, 480, 960, 960, 960])
        let now = Timestamp(microseconds: 1_000_000_000)
        for failures in 1...8 {
            let delay = BackOff.standard.delay(after: failures)
            let time = BackOff.standard.next(after: failures, at: now)
            #expect(time >= now + delay && time <= now + delay + delay / 10)
        }
    }

    @Test(arguments: [
        ("https://example.org/a?b", "example.org"), ("http://EXAMPLE.org:8080", "example.org"),
        ("http://[::1]:80/x", "::1"), ("http://10.0.0.1/", "10.0.0.1"),
    ])
    func `a webhook's URL names a host`(url: String, host: String) throws {
        #expect(WebhookURL.host(of: try WebhookURL.parse(url)) == host)
    }

    @Test(arguments: [
        "", "ftp://a/", "http://u:p@a/", "http://a/#f", "http:///x", "//a/b", "http://a b/", "file:///etc",
    ])
    func `what is no plain http URL is refused`(url: String) {
        #expect(throws: Refusal.self) { try WebhookURL.parse(url) }
    }
}
