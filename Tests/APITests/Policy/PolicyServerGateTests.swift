// A publish fails closed where the policy server hangs, lies, cuts or is gone; in its time, and with a record. Rules:
// HTTP contract, section 9, rows 5 and 21.

import Domain
import HTTP
import Persistence
import TestSupport
import Testing
import Threads

@testable import artifortress

@Suite struct PolicyServerGateTests {
    private static func settings(_ url: String, timeout: Int = 60000) -> [String: String] {
        [
            "policy.http.url": url, "policy.http.secret": "between us", "policy.evaluationTimeoutMs": String(timeout),
        ]
    }

    @Test(arguments: Engine.direct)
    func `a server that hangs is waited for as long as the budget says, and nothing is published`(
        engine: Engine
    ) async throws {
        let server = RawServer { client in
            _ = client.readHead()
            client.awaitEnd()
        }
        let clock = ManualClock()
        try await Installation.with(engine, Self.settings(server.url), steadyClock: clock.steady) { server in
            let token = try await server.withPackages()
            let id = try await server.completeDraft("p", token: token)
            for (number, path) in ["/v1/repos/pkgs/packages/versions/\(id)/publish", "evaluate"].enumerated() {
                let answer = Task {
                    path == "evaluate"
                        ? try await server.evaluate(id, token: token)
                        : try await server.send("POST", path, token: token)
                }
                #expect(await eventually { clock.sleepers == 1 })
                clock.advance(by: .milliseconds(59999))
                #expect(clock.sleepers == 1, "not before its time")
                clock.advance(by: .milliseconds(1))
                let late = try await answer.value
                #expect(late.status == 503 && late.json["error"] == "policy_timeout", "\(late.text)")
                #expect(late.json["failClosed"] == true && late.json["timeoutMs"] == 60000)
                let audit = try await server.audit(token, "action=policy.timeout")
                #expect(audit.count == number + 1 && audit[0]["details"]?["versionId"] == .string(id))
            }
            #expect(try await server.state(of: id, token: token) == "draft")
            #expect(try await server.count("policy_evaluations") == 0)
            #expect(try await server.count("outbox_events") == 0)
        }
    }

    @Test(arguments: ["", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"decision\":", "HTTP/1.1 500 No\r\n\r\n"])
    func `a server that cuts or fails lets nothing pass`(said: String) async throws {
        let server = RawServer { client in
            _ = client.readHead()
            client.send(said)
        }
        try await Self.checkRefused(server.url)
    }

    @Test(arguments: ["{\"decision\":\"yes\"}", "{\"decision\":\"deny\"}", "<html>", "{\"result\":null}"])
    func `a server that talks nonsense lets nothing pass`(said: String) async throws {
        try await TestServer.with { _ in
            .text(200, said)
        } _: { url in
            try await Self.checkRefused(url)
        }
    }

    @Test func `a server that isn't there lets nothing pass`() async throws {
        try await Self.checkRefused("http://127.0.0.1:1/")
    }

    private static func checkRefused(_ url: String) async throws {
        let settings = Self.settings(url).merging(["metrics.token": "figures"]) { $1 }
        try await Installation.with(.sqlite, settings) { server in
            let token = try await server.withPackages()
            let id = try await server.completeDraft("p", token: token)
            let answer = try await server.publish(id, token: token)
            #expect(answer.status == 503 && answer.json["error"] == "policy_timeout", "\(answer.text)")
            let put = try await server.send(
                "PUT", "/generic/pkgs/f", headers: [("Authorization", "Bearer \(token)")], body: [1])
            #expect(put.status == 503 && put.json["error"] == "policy_timeout")
            #expect(try await server.state(of: id, token: token) == "draft")
            #expect(try await server.count("package_versions") == 1)
            #expect(try await server.audit(token, "action=policy.timeout").count == 2)
            let metrics = try await server.send("GET", "/metrics", token: "figures").text
            #expect(metrics.contains("artifortress_policy_verdicts_total{action=\"publish\",verdict=\"none\"} 2"))
            // Reading goes on.
            #expect(try await server.send("GET", "/v1/repos/pkgs/packages", token: token).status == 200)
        }
    }

    @Test(arguments: Engine.direct)
    func `what it decides is done, and is on record`(engine: Engine) async throws {
        try await TestServer.with { request in
            let body = try await request.body.collect(upTo: 1 << 20)
            let name = (try? JSON(parsing: body))?["input"]?["packageName"]?.text ?? ""
            return .json(200, ["decision": .string(name), "reason": "as you ask", "rule": "echo"])
        } _: { url in
            try await Installation.with(engine, Self.settings(url)) { server in
                let token = try await server.withPackages()
                for (name, status, hides) in [("allow", 200, false), ("deny", 409, false), ("quarantine", 200, true)] {
                    let id = try await server.completeDraft(name, token: token)
                    let answer = try await server.publish(id, token: token)
                    #expect(answer.status == status && (answer.json["quarantineId"] != nil) == hides, "\(answer.text)")
                    let kept = try await server.evaluations("versionId=\(id)", token: token)
                    #expect(kept.count == 1 && kept[0]["decision"] == .string(name))
                    let trace = try await server.details(of: kept[0], token: token)?["trace"]?.elements
                    #expect(trace?.first?["origin"] == "server" && trace?.first?["rule"] == "echo")
                }
            }
        }
    }

    /// Rules and evaluations that come while a publish is being judged count: nothing slips through between.
    @Test(arguments: Engine.direct)
    func `what changes while the server thinks is judged again`(engine: Engine) async throws {
        for change in ["rules", "evaluation", "content"] {
            let turns = Turnstile()
            try await TestServer.with { _ in
                await turns.pass()
                return .json(200, ["decision": "allow"])
            } _: { url in
                try await Installation.with(engine, Self.settings(url)) { server in
                    let token = try await server.withPackages()
                    let id = try await server.completeDraft("p", token: token)
                    let digest = try await server.commit([9], in: "pkgs")
                    let publish = Task { try await server.publish(id, token: token) }
                    #expect(await eventually { await turns.waiting == 1 })
                    switch change {
                    case "rules":
                        try await server.setRules([["name": "none", "check": "name", "deny": ["*"]]], token: token)
                    case "evaluation":
                        try await server.execute(
                            """
                            INSERT INTO policy_evaluations (version_id, repo_id, action, decision, reason, content_revision)
                            SELECT version_id, repo_id, 'publish', 'deny', 'late', content_revision FROM package_versions
                            """)
                    default:
                        let put = try await server.putEntry("late", digest, length: 1, of: id, token: token)
                        #expect(put.status == 200)
                    }
                    await turns.open()
                    let answer = try await publish.value
                    #expect(answer.status == (change == "content" ? 200 : 409), "\(change): \(answer.text)")
                    #expect(
                        try await server.state(of: id, token: token) == (change == "content" ? "published" : "draft"))
                    if change != "rules" { #expect(await turns.passed == 2, "asked again") }
                }
            }
        }
    }
}

/// Holds whoever comes until it is opened.
private actor Turnstile {
    private var isOpen = false
    private var held: [CheckedContinuation<Void, Never>] = []
    private(set) var passed = 0

    var waiting: Int { self.held.count }

    func pass() async {
        self.passed += 1
        if self.isOpen { return }
        await withCheckedContinuation { self.held.append($0) }
    }

    func open() {
        self.isOpen = true
        for continuation in self.held { continuation.resume() }
        self.held = []
    }
}
