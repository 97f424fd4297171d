// A policy server that answers, hangs, lies and cuts. Wire form: docs/policy.md.

import Cryptography
import Domain
import HTTP
import HTTPClient
import Policy
import Synchronization
import TestSupport
import Testing
import Threads

@Suite struct PolicyServerTests {
    private static let secret = Array("between us".utf8)

    private static func server(_ url: String, timeout: Duration = .seconds(60)) -> PolicyServer {
        PolicyServer(
            url: url, secret: Self.secret, timeout: timeout, client: HTTPClient(),
            wallClock: WallClock { Timestamp(microseconds: 1_700_000_000_000_000) }, clock: .system)
    }

    private static func candidate(manifest: JSON = ["license": "MIT"]) throws -> PolicyCandidate {
        let entry = ArtifactEntry(
            path: try RelativePath(parsing: "a.tgz"),
            digest: try BlobDigest(parsing: String(repeating: "ab", count: 32)),
            length: 3)
        return PolicyCandidate(
            action: .promote, repo: try RepoKey(parsing: "releases"), source: try RepoKey(parsing: "staging"),
            version: nil,
            coordinate: Coordinate(PackageName(type: "npm", namespace: "@s", name: "p"), version: "1.0.0", sortKey: []),
            manifest: manifest, files: PolicyFiles([entry]), attested: [],
            caller: .local(in: TenantID(.random()), correlation: .random()))
    }

    private static func answer(
        _ body: String, status: Int = 200, to candidate: PolicyCandidate
    ) async throws -> [PolicyFinding] {
        try await TestServer.with { _ in
            .text(status, body)
        } _: { url in
            try await Self.server(url).findings(on: candidate)
        }
    }

    @Test func `it is asked everything that a rule can look at, signed`() async throws {
        let asked = Mutex<(headers: Headers, body: [UInt8])?>(nil)
        let candidate = try Self.candidate()
        let findings = try await TestServer.with { request in
            let body = try await request.body.collect(upTo: 1 << 20)
            asked.withLock { $0 = (request.headers, body) }
            return .json(200, ["decision": "quarantine", "reason": "unknown", "rule": "fresh"])
        } _: { url in
            try await Self.server(url + "/v1/data/artifacts").findings(on: candidate)
        }
        #expect(findings.map(\.decision) == [.quarantine] && findings[0].reason == "unknown")
        #expect(findings[0].rule == "fresh" && findings[0].origin == .server)
        let (headers, body) = try #require(asked.withLock { $0 })
        let input = try #require(JSON(parsing: body)["input"])
        for (name, value) in [
            ("action", "promote"), ("repoKey", "releases"), ("sourceRepoKey", "staging"), ("packageType", "npm"),
            ("packageNamespace", "@s"), ("packageName", "p"), ("version", "1.0.0"), ("subject", "local-administrator"),
        ] as [(String, JSON)] { #expect(input[name] == value, "\(name)") }
        #expect(input["manifest"]?["license"] == "MIT" && input["files"]?.elements?.count == 1)
        let expected = HMAC.sha256(Array("1700000000.".utf8) + body, key: Self.secret)
        #expect(headers["x-artifortress-signature"] == "v1=\(Hexadecimal.text(of: expected))")
        #expect(headers["x-artifortress-timestamp"] == "1700000000")
        #expect(headers["x-correlation-id"] == candidate.caller.correlation.description)
    }

    @Test(arguments: [
        (#"{"decision":"allow"}"#, PolicyDecision.allow), (#"{"result":{"decision":"deny","reason":"r"}}"#, .deny),
        (#"{"decision":"quarantine","reason":"r","more":[1]}"#, .quarantine),
    ])
    func `its answer counts, also in the form of Open Policy Agent`(body: String, decision: PolicyDecision) async throws
    {
        #expect(try await Self.answer(body, to: Self.candidate()).map(\.decision) == [decision])
    }

    @Test(arguments: [
        ("", 200), ("not json", 200), ("{}", 200), (#"{"result":{}}"#, 200), (#"{"decision":"yes"}"#, 200),
        (#"{"decision":true}"#, 200), (#"{"decision":"deny"}"#, 200), (#"{"decision":"quarantine","reason":" "}"#, 200),
        (#"{"decision":"allow"}"#, 500), (#"{"decision":"allow"}"#, 201), (#"{"decision":"allow"}"#, 302),
        (#"{"decision":"deny","reason":"\u0000"}"#, 200), (#"["allow"]"#, 200),
    ])
    func `an answer that isn't wholly understood is none`(body: String, status: Int) async throws {
        let candidate = try Self.candidate()
        let fault = await #expect(throws: PolicyFault.self) {
            _ = try await Self.answer(body, status: status, to: candidate)
        }
        guard case .unreliable = fault else {
            Issue.record("\(String(describing: fault))")
            return
        }
    }

    @Test func `an answer that is too long is none`() async throws {
        let long = #"{"decision":"allow","x":""# + String(repeating: "a", count: 70000) + #""}"#
        let candidate = try Self.candidate()
        await #expect(throws: PolicyFault.self) { _ = try await Self.answer(long, to: candidate) }
    }

    @Test(arguments: ["", "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"decision\"", "lies\r\n\r\n"])
    func `a connection that is cut is no answer`(said: String) async throws {
        let server = RawServer { client in
            _ = client.readHead()
            client.send(said)
        }
        let candidate = try Self.candidate()
        let fault = await #expect(throws: PolicyFault.self) {
            _ = try await Self.server(server.url).findings(on: candidate)
        }
        guard case .unreliable = fault else {
            Issue.record("\(String(describing: fault))")
            return
        }
    }

    @Test func `a manifest that is too long is left out, and said to be`() async throws {
        let left = Mutex<JSON?>(nil)
        let candidate = try Self.candidate(manifest: ["text": .string(String(repeating: "x", count: 2 << 20))])
        _ = try await TestServer.with { request in
            let body = try await request.body.collect(upTo: 8 << 20)
            left.withLock { $0 = (try? JSON(parsing: body))?["input"] }
            return .json(200, ["decision": "allow"])
        } _: { url in
            try await Self.server(url).findings(on: candidate)
        }
        let input = try #require(left.withLock { $0 })
        #expect(input["manifest"] == .null && input["manifestIsLeftOut"] == true)
    }
}
