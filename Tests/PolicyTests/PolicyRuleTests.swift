// What each rule of a policy says no to, and which rules can be written. Rules: docs/policy.md.

import Domain
import TestSupport
import Testing

@Suite struct PolicyRuleTests {
    @Test(arguments: [
        ("", "", true), ("", "a", false), ("*", "", true), ("*", "anything", true), ("a?c", "abc", true),
        ("a?c", "ac", false), ("a*c", "abbbc", true), ("a*c", "abcd", false), ("*-beta*", "1.0.0-beta.2", true),
        ("**a**b", "xxayyb", true), ("a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaac", false), ("ü?", "üñ", true),
        ("[a]", "a", false), ("a.c", "abc", false), ("left-*", "Left-pad", false), ("@acme/?*", "@acme/", false),
    ])
    func `a pattern covers the whole text`(pattern: String, text: String, matches: Bool) throws {
        #expect(try #require(Glob(pattern)).matches(text) == matches)
    }

    /// Tries every way to divide the text.
    private static func naive(_ pattern: Substring, _ text: Substring) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        if first == "*" {
            return text.indices.contains { Self.naive(pattern.dropFirst(), text[$0...]) }
                || Self.naive(pattern.dropFirst(), "")
        }
        guard let next = text.first, first == "?" || first == next else { return false }
        return Self.naive(pattern.dropFirst(), text.dropFirst())
    }

    @Test(arguments: 0..<8)
    func `a pattern means what trying everything finds`(seed: UInt64) throws {
        var random = SplitMix64(seed)
        for _ in 0..<500 {
            let pattern = String(
                (0..<Int.random(in: 0...6, using: &random)).map { _ in "ab*?".randomElement(using: &random) ?? "a" })
            let text = String(
                (0..<Int.random(in: 0...8, using: &random)).map { _ in "ab".randomElement(using: &random) ?? "a" })
            #expect(
                try #require(Glob(pattern)).matches(text) == Self.naive(pattern[...], text[...]), "\(pattern) \(text)")
        }
    }

    @Test func `a pattern that is too long or has control characters is none`() {
        #expect(Glob(String(repeating: "a", count: 257)) == nil && Glob("a\nb") == nil)
        #expect(Glob(String(repeating: "a", count: 256)) != nil)
    }

    // MARK: - Rules

    static func candidate(
        _ name: String = "left-pad", namespace: String? = nil, version: String = "1.0.0", manifest: JSON = [:],
        entries: [ArtifactEntry] = [], attested: Set<Name> = [], action: PolicyAction = .publish
    ) throws -> PolicyCandidate {
        let tenant = TenantID(UniqueID.random())
        return PolicyCandidate(
            action: action, repo: try RepoKey(parsing: "libs"), source: nil, version: nil,
            coordinate: Coordinate(
                PackageName(type: "npm", namespace: namespace, name: name), version: version, sortKey: []),
            manifest: manifest, files: PolicyFiles(entries), attested: attested,
            caller: .local(in: tenant, correlation: .random()))
    }

    static func rule(_ members: JSON) throws -> PolicyRule {
        let common: [JSON.Member] = [.init("name", "r")]
        let rules = try PolicyRules(parsing: [.object(common + (members.members ?? []))])
        return try #require(rules.rules.first)
    }

    @Test(
        arguments: [
            (["check": "name", "deny": ["left-*"]], "the name 'left-pad' is denied by 'left-*'"),
            (["check": "name", "allow": ["right-*"]], "the name 'left-pad' is not among those that are allowed"),
            (["check": "name", "allow": ["*"]], nil),
            (
                ["check": "namespace", "allow": ["@acme"]],
                "a package without namespace is not among those that are allowed"
            ),
            (["check": "namespace", "allow": ["@acme", ""]], nil),
            (["check": "namespace", "deny": [""]], "a package without namespace is denied by ''"),
            (["check": "version", "deny": ["0.*", "1.*"]], "the version '1.0.0' is denied by '1.*'"),
            (["check": "version", "allow": ["2.*"]], "the version '1.0.0' is not among those that are allowed"),
            (["check": "size", "maxFileBytes": 9], "the file 'b' has 10 bytes, more than 9"),
            (
                ["check": "size", "maxFileBytes": 10, "maxTotalBytes": 14],
                "its files have 15 bytes together, more than 14"
            ),
            (["check": "size", "maxFileBytes": 10, "maxTotalBytes": 15], nil),
            (["check": "checksum", "required": ["sha256"]], nil),
            (["check": "checksum", "required": ["sha1", "sha256"]], "the file 'b' was published without its SHA-1"),
            (["check": "manifest", "required": ["license", "repository.url"]], nil),
            (["check": "manifest", "required": ["description"]], "the manifest has no 'description'"),
            (["check": "manifest", "required": ["repository.type"]], "the manifest has no 'repository.type'"),
            (["check": "manifest", "required": ["blank"]], "the manifest has no 'blank'"),
            (["check": "manifest", "required": ["none"]], "the manifest has no 'none'"),
            (["check": "manifest", "required": ["private"]], nil),
            (["check": "license", "allow": ["mit"]], nil),
            (["check": "license", "deny": ["MIT"]], "the license 'MIT' is denied by 'mit'"),
            (["check": "attestation", "required": ["slsa"]], nil),
            (
                ["check": "attestation", "required": ["slsa", "sbom"]],
                "not every file has an attestation of type 'sbom' that a trusted key has signed"
            ),
        ] as [(JSON, String?)])
    func `a rule says what it misses`(members: JSON, objection: String?) throws {
        let digest = try BlobDigest(parsing: String(repeating: "0", count: 64))
        let candidate = try Self.candidate(
            manifest: [
                "license": "MIT", "repository": ["url": "https://x"], "blank": " ", "none": nil, "private": false,
            ],
            entries: [
                ArtifactEntry(path: try RelativePath(parsing: "b"), digest: digest, length: 10),
                ArtifactEntry(path: try RelativePath(parsing: "a"), digest: digest, length: 5, sha1: "00"),
            ], attested: ["slsa"])
        #expect(try Self.rule(members).objection(to: candidate) == objection)
    }

    @Test(
        arguments: [
            (["license": "MIT"], nil), (["license": "mit OR GPL-3.0-only"], nil),
            (["license": "MIT AND GPL-3.0-only"], "'GPL-3.0-only'"), (["license": "GPL-3.0-only"], "'GPL-3.0-only'"),
            (["license": "(GPL-2.0-only OR (MIT AND Apache-2.0))"], nil),
            (["license": "GPL-2.0-only WITH Classpath-exception-2.0"], "'GPL-2.0-only WITH Classpath-exception-2.0'"),
            (["license": ["type": "Apache-2.0", "url": "https://x"]], nil),
            (["licenses": [["license": ["id": "MIT"]], ["license": ["name": "Own"]]]], "'Own'"),
            (["licenses": ["MIT", "Apache-2.0"]], nil), (["license": "SEE LICENSE IN LICENSE.txt"], "'SEE LICENSE IN"),
            (["license": "MIT OR"], "'MIT OR'"), (["license": "(MIT"], "'(MIT'"), ([:], "names no license"),
            (["license": ""], "names no license"), (["license": 1], "names no license"),
        ] as [(JSON, String?)])
    func `a license is one that is allowed, whichever way it is written`(manifest: JSON, word: String?) throws {
        let rule = try Self.rule(["check": "license", "allow": ["MIT", "Apache-*"]])
        let objection = try rule.objection(to: Self.candidate(manifest: manifest))
        if let word {
            #expect(objection?.contains(word) == true, "\(objection ?? "")")
        } else {
            #expect(objection == nil)
        }
    }

    @Test(
        arguments: [
            (["GPL-2.0-only WITH Classpath-exception-2.0"], true), (["GPL-2.0-only AND"], true),
            (["GPL-2.0-only, MIT"], true),
            (["MIT"], false), (["Apache License, Version 2.0"], false), ([[[["GPL-2.0-only"]]]], true),
            ([[[[[["MIT"]]]]]], true), (.array((0..<101).map { .string("L\($0)") }), true),
            (.array(Array(repeating: "MIT", count: 500_000)), false),
            ([.string(String(repeating: "x", count: 1025))], true),
        ] as [(JSON, Bool)])
    func `a denied license doesn't slip through by its spelling`(licenses: JSON, isRefused: Bool) throws {
        let rule = try Self.rule(["check": "license", "deny": ["GPL-2.0-only"]])
        #expect(try (rule.objection(to: Self.candidate(manifest: ["licenses": licenses])) != nil) == isRefused)
    }

    @Test func `a reason stays short, whatever is quoted in it`() {
        let finding = PolicyFinding(
            rule: "r", origin: .repository, check: "name", decision: .deny, reason: String(repeating: "x", count: 5000),
            duration: .zero)
        #expect((finding.reason?.count ?? 0) <= 1001)
    }

    @Test(
        arguments: [
            (["check": "version", "allow": ["2.*"]], true), (["check": "version", "deny": ["*"]], true),
            (["check": "version", "deny": ["1.*"]], false), (["check": "version", "allow": [""]], false),
        ] as [(JSON, Bool)])
    func `a file by path has the empty version`(members: JSON, isRefused: Bool) throws {
        let objection = try Self.rule(members).objection(to: Self.candidate(version: ""))
        #expect((objection != nil) == isRefused)
    }

    @Test func `nested parentheses come to an end`() {
        let deep = String(repeating: "(", count: 500) + "MIT" + String(repeating: ")", count: 500)
        #expect(LicenseExpression(parsing: deep) == nil)
    }

    @Test func `a rule is for its actions, types and repositories`() throws {
        let rule = try Self.rule([
            "check": "name", "deny": ["*"], "actions": ["promote"], "packageTypes": ["N*"], "repos": ["Rel-*"],
        ])
        let (release, other) = (try RepoKey(parsing: "rel-a"), try RepoKey(parsing: "libs"))
        #expect(rule.applies(to: .promote, type: "npm", repo: release))
        #expect(!rule.applies(to: .publish, type: "npm", repo: release))
        #expect(!rule.applies(to: .promote, type: "maven", repo: release))
        #expect(!rule.applies(to: .promote, type: "npm", repo: other))
    }

    @Test(
        arguments: [
            ([1], "rules[0] must be an object"), ([["check": "name", "deny": ["x"]]], "rules[0].name must have"),
            ([["name": "a", "check": "smell"]], "rules[0].check must be one of name, namespace"),
            ([["name": "a", "check": "name"]], "must have patterns in allow or in deny"),
            ([["name": "a", "check": "name", "deny": "x"]], "rules[0].deny must be a list"),
            ([["name": "a", "check": "name", "deny": ["x"], "dney": ["y"]]], "rules[0].dney is unknown"),
            ([["name": "a", "check": "name", "deny": ["x"], "effect": "allow"]], "effect must be deny or quarantine"),
            (
                [["name": "a", "check": "name", "deny": ["x"], "actions": ["read"]]],
                "actions must be a list of publish"
            ),
            ([["name": "a", "check": "manifest", "required": ["a..b"]]], "required must be a list of members"),
            ([["name": "a", "check": "checksum", "required": ["md5"]]], "required must be a list of sha1 and sha256"),
            ([["name": "a", "check": "size", "maxFileBytes": -1]], "maxFileBytes must be a number of bytes"),
            (
                [["name": "a", "check": "name", "deny": ["x"]], ["name": "a", "check": "name", "deny": ["y"]]],
                "Two rules are called 'a'"
            ),
        ] as [(JSON, String)])
    func `a rule that can't be read is refused, with what is wrong`(document: JSON, message: String) {
        let refusal = #expect(throws: Refusal.self) { try PolicyRules(parsing: document) }
        #expect(
            refusal?.reason == .badRequest && refusal?.message.contains(message) == true, "\(refusal?.message ?? "")")
    }

    /// What is stored is read whatever its size: a bound that shrank would otherwise stop every publish.
    @Test func `rules have a size in all, measured where they are laid down`() throws {
        let pattern = JSON.string(String(repeating: "a", count: 250))
        let rules: (Int) -> JSON = { count in
            .array(
                (0..<count).map { number in
                    [
                        "name": .string("r\(number)"), "check": "name",
                        "deny": .array(Array(repeating: pattern, count: 100)),
                    ]
                })
        }
        #expect(try PolicyRules(layingDown: rules(2)).rules.count == 2)
        let refusal = #expect(throws: Refusal.self) { try PolicyRules(layingDown: rules(3)) }
        #expect(refusal?.message.contains("65536 bytes") == true)
        #expect(try PolicyRules(parsing: rules(3)).rules.count == 3)
    }

    @Test func `rules are written as they are read`() throws {
        let document: JSON = [
            [
                "name": "a", "check": "license", "effect": "quarantine", "actions": ["publish"],
                "packageTypes": ["npm"], "repos": ["x*"], "allow": ["mit"], "deny": ["agpl-*"],
            ],
            [
                "name": "b", "check": "manifest", "effect": "deny", "actions": ["publish", "promote"],
                "required": ["a.b"],
            ],
            [
                "name": "c", "check": "size", "effect": "deny", "actions": ["promote"], "maxFileBytes": 1,
                "maxTotalBytes": 2,
            ],
        ]
        #expect(try PolicyRules(parsing: document).json == document)
    }

    @Test func `the first of the strictest decides`() {
        func finding(_ name: String, _ decision: PolicyDecision) -> PolicyFinding {
            PolicyFinding(
                rule: name, origin: .repository, check: "name", decision: decision, reason: "because of \(name)",
                duration: .zero)
        }
        let trace = PolicyTrace(
            [finding("a", .allow), finding("b", .quarantine), finding("c", .deny), finding("d", .deny)], duration: .zero
        )
        #expect(trace.decision == .deny && trace.reason == "rule 'c': because of c")
        #expect(PolicyTrace([], duration: .zero).decision == .allow && PolicyTrace([], duration: .zero).reason == nil)
        #expect(PolicyTrace([finding("a", .allow)], duration: .zero).reason == nil)
    }
}
