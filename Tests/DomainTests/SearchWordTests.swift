// How text is taken apart for the search, when work is tried again, what a webhook's URL names.

import Domain
import Testing

@Suite struct SearchWordTests {
    @Test(arguments: [
        ("left-pad", ["left", "left-pad", "pad"]),
        ("1.2.3-rc.1", ["1", "1.2", "1.2.3", "2", "2.3", "2.3-rc", "3", "3-rc", "3-rc.1", "rc", "rc.1", "1"]),
        ("org.Apache/Commons_IO", ["org", "org.apache", "apache", "commons", "io"]),
        (#"{"name":"x","tags":["Ünï","-a-","..b"]}"#, ["name", "x", "tags", "ünï", "a", "b"]),
        ("a--b", ["a", "b"]), ("a.-b", ["a", "b"]), ("", []), ("?! -", []),
        ("日本語 x", ["日", "日本", "本", "本語", "語", "x"]), ("v2日本-x", ["v2", "日", "日本", "本", "x"]),
        ("한국", ["한", "한국", "국"]), ("カー", ["カ", "カー", "ー"]),
        ("STRASSE straße ΣΟΦΟΣ σοφος", ["strasse", "strasse", "σοφοσ", "σοφοσ"]),
        ("हिन्दी", ["हिन्दी"]), ("🎉 a\u{0}b", ["a", "b"]),
    ])
    func `a document's words are its parts, joined with up to two that follow`(text: String, words: [String]) {
        #expect(SearchWords.all(in: text).map(\.text) == words)
    }

    @Test func `a word has the place of its first part`() {
        #expect(SearchWords.all(in: "a b-c d").map(\.place) == [0, 1, 1, 2, 3])
    }

    @Test(arguments: [
        ("Left-Pad", [["left-pad"]]), ("left pad LEFT", [["left"], ["pad"]]), ("a/b", [["a"], ["b"]]),
        ("1.2.3-rc.1", [["1.2.3", "2.3-rc", "3-rc.1"]]), ("日", [["日"]]), ("日本語x", [["日本", "本語"], ["x"]]),
        ("'; DROP", [["drop"]]), ("?", []), ("---", []), ("🎉", []), ("\u{301}", []),
    ])
    func `a query looks for the longest words of each run, once`(text: String, words: [[String]]) {
        #expect(SearchWords.terms(in: text).map(\.words) == words)
    }

    @Test(arguments: UInt64(1)...200)
    func `every part of a document is found`(seed: UInt64) throws {
        var random = seed &* 0x9E37_79B9_7F4A_7C15
        func draw(_ count: Int) -> Int {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(random >> 33) % count
        }
        let alphabet = Array("ab1é日本ส.-. /".unicodeScalars)
        let scalars = (0..<20).map { _ in alphabet[draw(alphabet.count)] }
        let document = Set(SearchWords.all(in: String(String.UnicodeScalarView(scalars))).map(\.text))
        let start = draw(scalars.count)
        var part = scalars[start..<(start + 1 + draw(scalars.count - start))]
        // A query may begin and end anywhere, but not within a part of a script that has spaces.
        func isLetter(_ index: Int) -> Bool {
            scalars.indices.contains(index) && "ab1é".unicodeScalars.contains(scalars[index])
        }
        while let first = part.indices.first, isLetter(first), isLetter(first - 1) { part.removeFirst() }
        while let last = part.indices.last, isLetter(last), isLetter(last + 1) { part.removeLast() }
        for term in SearchWords.terms(in: String(String.UnicodeScalarView(part))) {
            #expect(document.isSuperset(of: term.words), "\(term) of \(part) in \(document)")
        }
    }

    @Test func `a word has at most 128 bytes and ends with a whole character`() throws {
        let word = try #require(SearchWords.all(in: String(repeating: "ü", count: 1000)).first)
        #expect(word.text == String(repeating: "ü", count: 64))
        #expect(String(repeating: "ü", count: 10).cut(toBytes: 5) == "üü")
    }

    @Test(arguments: ["a-", "abcdefgh.", "日", "x "])
    func `the words of a document fit into a megabyte`(pattern: String) {
        let text = String(repeating: pattern, count: SearchWords.textLimit / pattern.utf8.count)
        #expect(SearchWords.all(in: text).reduce(0) { $0 + $1.text.utf8.count + 6 } <= 768 * 1024)
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
