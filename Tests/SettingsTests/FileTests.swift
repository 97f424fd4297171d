// The settings file: what YAML it may have, and how it is refused.

import Domain
import Foundation
import Settings
import Testing

@Suite struct FileTests {
    @Test func `keys may be nested, dotted or both`() throws {
        let configuration = try read(
            """
            # a comment
            auth:
              oidc: {issuer: "https://id.example", audience: 'af'}
              pat.maxTtlMinutes: 60
            storage.s3:
              accessKey: 12345
            trustedProxies:
              - 10.0.0.0/8
              - ::1
            roles: api
            worker:
            """)
        #expect(configuration[.oidcIssuer] == "https://id.example")
        #expect(configuration[.oidcAudience] == "af")
        #expect(configuration[.patMaxTTLMinutes] == 60)
        #expect(configuration[.s3AccessKey]?.value == "12345")
        #expect(configuration[.trustedProxies].map(\.description) == ["10.0.0.0/8", "::1"])
        #expect(configuration[.roles] == [.api])
        #expect(configuration.source(of: .patMaxTTLMinutes).description.hasSuffix("settings.yaml:4"))
    }

    @Test(arguments: ["", "\n", "# nothing\n", "---\n"])
    func `an empty file is none`(yaml: String) { #expect(refusal(yaml) == nil) }

    @Test(arguments: [
        ("listn: x", "listn (settings.yaml:1): no such setting (did you mean listen?)"),
        ("a:\n b: 1", "a (settings.yaml:1): no such setting"),
        (
            "database:\n  poolsize: 4",
            "database.poolsize (settings.yaml:2): no such setting (did you mean database.poolSize?)"
        ),
        ("database: x", "database (settings.yaml:1): is a group of settings; allowed: keys below it"),
        ("database: [x]", "database (settings.yaml:1): is a group of settings; allowed: keys below it"),
        ("listen.port: 8", "listen.port (settings.yaml:1): no such setting"),
        (
            "database.poolSize: '4'",
            "database.poolSize (settings.yaml:1): a text in quotes; allowed: a whole number, 1..200"
        ),
        ("data: d\ndata: e", "settings.yaml:2: 'data' stands twice"),
        ("log.level: info\nlog: {level: info}", "log.level (settings.yaml:2): is given twice"),
        ("roles: [api, [worker]]", "roles (settings.yaml:1): an element of the list is not a single value"),
        ("roles: [api, web]", "roles (settings.yaml:1): [api, web]; allowed: api, worker, or both"),
        ("roles: []", "roles (settings.yaml:1): []; allowed: api, worker, or both"),
        ("- listen", "settings.yaml:1: not a mapping; allowed: keys of settings with their values"),
        ("words", "settings.yaml:1: not a mapping; allowed: keys of settings with their values"),
        ("data: &a d", "settings.yaml:1: anchors and tags are not allowed"),
        ("data: !!str d", "settings.yaml:1: anchors and tags are not allowed"),
        ("data: *a", "settings.yaml:1: aliases are not allowed"),
        ("? [a]\n: b", "settings.yaml:1: a key must be a word"),
        ("data: d\n---\ndata: e", "settings.yaml:3: a second document"),
        ("data: [", "settings.yaml:2: not YAML: did not find expected node content"),
        ("data: d\n\tlisten: x", "settings.yaml:2: not YAML: found a tab character that violates indentation"),
        ("data: \"\u{1}\"", "settings.yaml:1: not YAML: control characters are not allowed"),
    ])
    func `a wrong file is refused with its line`(yaml: String, line: String) {
        #expect(refusal(yaml) == line)
    }

    @Test func `depth, size and number are bounded`() throws {
        let deep = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
        #expect(refusal("roles: \(deep)") == "settings.yaml:1: nested too deeply")
        let wide = "[" + String(repeating: "x,", count: 20000) + "x]"
        #expect(refusal("roles: \(wide)") == "settings.yaml:1: too many values")
        let long = refusal("data: d" + String(repeating: "\n#", count: 1_000_000))
        #expect(long?.hasSuffix("settings.yaml is too long; allowed: 1048576 bytes") == true)
    }

    @Test func `what is no UTF-8 is refused`() throws {
        try withFile(Data([0x61, 0x3A, 0x20, 0xFF]), named: "settings.yaml") { path in
            #expect(refusal(nil, ["--config", path]) == "config: settings.yaml is not text in UTF-8")
        }
    }

    @Test(arguments: 0..<300)
    func `no file, however broken, does harm`(seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        let pieces = [
            "auth", ":", " ", "\n", "  ", "- ", "[", "]", "{", "}", "*a", "&a", "|", ">", "'", "\"", "#", "?", "x",
            "\t", "%", "!", "---", "é", "\0",
        ]
        let text = (0..<random.next(below: 60)).map { _ in pieces[random.next(below: pieces.count)] }.joined()
        let line = refusal(text)  // taken or refused, on one line
        #expect(line?.contains("\n") != true)
    }
}

/// A small generator with a seed (Vigna's SplitMix64).
struct SplitMix64 {
    var state: UInt64

    mutating func next(below limit: Int) -> Int {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((z ^ (z >> 31)) % UInt64(limit))
    }
}
