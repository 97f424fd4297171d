// Failed credentials are limited by address and by credential, and valid tokens never are. Each test is an attack, or a
// client that must not be taken for one. Rules: HTTP contract, section 9, rows 21 and 34.

import Domain
import HTTP
import Identity
import Synchronization
import TestSupport
import Testing
import Threads

@testable import artifortress

/// A clock that a test sets.
final class HandClock: Sendable {
    private let time = Mutex(Timestamp(microseconds: 1_700_000_000_000_000))

    var clock: WallClock { WallClock { self.time.withLock { $0 } } }

    func advance(seconds: Int64) { self.time.withLock { $0 = $0 + seconds } }
}

@Suite struct ThrottleTests {
    private let hand = HandClock()

    private func throttle(_ address: Int = 3, _ credential: Int = 2) -> Throttle {
        Throttle(addressLimit: address, credentialLimit: credential, windowSeconds: 60, clock: self.hand.clock)
    }

    // MARK: - Counting

    @Test func `exactly as many credentials as allowed may fail in a window`() {
        let throttle = self.throttle()
        for credential in 1...3 as ClosedRange<UInt64> { #expect(throttle.fail(credential, from: "a") == nil) }
        for isFirst in [true, false] {
            let excess = throttle.fail(4, from: "a")
            #expect(excess?.name == .address("a") && excess?.retryAfter == 60 && excess?.isFirst == isFirst)
        }
        #expect(throttle.fail(4, from: "b") == nil)
        self.hand.advance(seconds: 59)
        #expect(throttle.fail(5, from: "a")?.retryAfter == 1)
        self.hand.advance(seconds: 1)
        #expect(throttle.fail(5, from: "a") == nil)
    }

    @Test func `one credential that is repeated counts once`() {
        let throttle = self.throttle()
        for _ in 0..<100 { #expect(throttle.fail(1, from: "a") == nil) }
        #expect(throttle.fail(2, from: "a") == nil && throttle.fail(3, from: "a") == nil)
        #expect(throttle.fail(4, from: "a") != nil)
        #expect(throttle.fail(1, from: "a") == nil, "it was counted before the limit")
    }

    @Test func `one credential that fails from many addresses is limited, other credentials are not`() {
        let throttle = self.throttle(3, 2)
        #expect(throttle.fail(1, from: "a") == nil && throttle.fail(1, from: "b") == nil)
        #expect(throttle.fail(1, from: "c")?.name == .credential(1))
        #expect(throttle.fail(2, from: "c") == nil)
    }

    @Test func `guesses that are compared at the same time count before any has failed`() throws {
        let throttle = self.throttle()
        let admitted = try (1...3 as ClosedRange<UInt64>).map { try throttle.admit(guess: $0, from: "a") }
        #expect(throws: Throttle.Excess.self) { try throttle.admit(guess: 4, from: "a") }
        throttle.end(admitted[2], isFailure: nil)  // it was not compared
        throttle.end(try throttle.admit(guess: 4, from: "a"), isFailure: true)
        #expect(throws: Throttle.Excess.self) { try throttle.admit(guess: 5, from: "a") }
    }

    @Test func `a guess that was right before is compared from a throttled address, until it is wrong`() throws {
        let throttle = self.throttle()
        throttle.end(try throttle.admit(guess: 99, from: "b"), isFailure: false)
        for credential in 1...3 as ClosedRange<UInt64> { _ = throttle.fail(credential, from: "a") }
        throttle.end(try throttle.admit(guess: 99, from: "a"), isFailure: true)
        #expect(throws: Throttle.Excess.self) { try throttle.admit(guess: 99, from: "a") }
    }

    @Test func `a flood from ever new addresses keeps memory bounded and the flood's limits in force`() {
        let throttle = self.throttle(20, 20)
        for credential in 0..<20 as Range<UInt64> { _ = throttle.fail(credential, from: "attacker") }
        #expect(throttle.fail(20, from: "attacker") != nil)
        for number in 0..<60_000 as Range<UInt64> { _ = throttle.fail(1000 + number, from: "host \(number)") }
        #expect(throttle.size.entries <= 20_001 && throttle.size.failures <= 400_000)
        #expect(throttle.fail(21, from: "attacker") != nil)
    }

    // MARK: - Over HTTP

    private static let settings = ["auth.throttle.addressAttempts": "5", "auth.throttle.windowSeconds": "3600"]
    private static let issue: JSON = ["subject": "x", "ttlMinutes": 5, "scopes": ["repo:*:admin"]]

    private static func issue(
        _ bootstrap: String, from address: String = "192.0.2.1", bearer: String? = nil, _ server: Installation
    ) async throws -> Answer {
        var headers = [("X-Bootstrap-Token", bootstrap), ("Content-Type", "application/json")]
        if let bearer { headers.append(("Authorization", "Bearer \(bearer)")) }
        return try await server.send("POST", "/v1/auth/pats", headers: headers, body: Self.issue.bytes, from: address)
    }

    @Test(arguments: Engine.direct)
    func `an address's failed tokens end in 429 with Retry-After, and one audit row`(engine: Engine) async throws {
        try await Installation.with(engine, Self.settings) { server in
            let token = try await server.token()
            for path in ["/v1/repos", "/generic/x/y", "/v1/audit", "/v1/repos", "/generic/x/"] {
                let guess = "guess \(UniqueID.random())"
                #expect(try await server.send("GET", path, token: guess).status == 401)
            }
            for path in ["/v1/repos", "/generic/x/y", "/v1/audit"] {
                let answer = try await server.send("GET", path, token: "guess again")
                #expect(answer.status == 429 && answer.error == "too_many_requests")
                let seconds = try #require(answer.headers["retry-after"].flatMap { Int($0) })
                #expect((1...3600).contains(seconds))
            }
            // Requests with a valid token, or without any, are not concerned, nor are other addresses.
            #expect(try await server.send("GET", "/v1/repos", token: token).status == 200)
            #expect(try await server.send("GET", "/v1/repos", token: nil).status == 401)
            let elsewhere = try await server.send(
                "GET", "/v1/repos", headers: [("Authorization", "Bearer guess")], from: "198.51.100.1")
            #expect(elsewhere.status == 401)
            #expect(try await server.audit(token, "action=access.throttled").count == 1)
        }
    }

    @Test(arguments: Engine.direct)
    func `a valid token is never throttled, also one that was not used before`(engine: Engine) async throws {
        try await Installation.with(engine, Self.settings) { server in
            let fresh = try await server.token(["repo:*:admin"], subject: "fresh")
            for number in 0..<50 { _ = try await server.send("GET", "/v1/repos", token: "guess \(number)") }
            #expect(try await server.send("GET", "/v1/repos", token: "guess").status == 429)
            #expect(try await server.send("GET", "/v1/auth/whoami", token: fresh).status == 200)
            let pair = Base64.encode(Array("anybody:\(fresh)".utf8))
            let basic = try await server.send("GET", "/v1/repos", headers: [("Authorization", "Basic \(pair)")])
            #expect(basic.status == 200)
            #expect(try await server.send("GET", "/generic/none/x", token: fresh).status == 404)
        }
    }

    @Test func `an expired token that a job repeats does not lock its network out`() async throws {
        try await Installation.with(.sqlite, Self.settings) { server in
            let renewed = try await server.token()
            for _ in 0..<100 {
                #expect(try await server.send("GET", "/v1/repos", token: "expired").status == 401)
            }
            for number in 1...4 {
                #expect(try await server.send("GET", "/v1/repos", token: "typo \(number)").status == 401)
            }
            #expect(try await server.send("GET", "/v1/repos", token: "typo 5").status == 429)
            #expect(try await server.send("GET", "/v1/repos", token: "expired").status == 401)
            #expect(try await server.send("GET", "/v1/repos", token: renewed).status == 200)
        }
    }

    @Test(arguments: [nil, "reader", "garbage"] as [String?])
    func `guesses of the bootstrap token count whatever bearer is beside them`(bearer: String?) async throws {
        try await Installation.with(.sqlite, Self.settings) { server in
            var token = bearer
            if bearer == "reader" { token = try await server.token(["repo:x:read"], subject: "reader") }
            // A bearer that is invalid counts itself.
            let allowed = bearer == "garbage" ? 4 : 5
            var statuses: [Int] = []
            // (A bootstrap token that was used here before is known, so another address guesses.)
            for number in 1...60 {
                let answer = try await Self.issue("guess \(number)", from: "192.0.2.9", bearer: token, server)
                statuses.append(answer.status)
            }
            let refused = statuses.prefix { $0 == 403 }.count
            #expect(
                (allowed...5).contains(refused) && statuses.dropFirst(refused).allSatisfy { $0 == 429 }, "\(statuses)")
        }
    }

    @Test func `a throttled address cannot find the bootstrap token, and cannot lock it for others`() async throws {
        try await Installation.with(.sqlite, Self.settings) { server in
            for number in 1...5 {
                #expect(try await Self.issue("guess \(number)", from: "192.0.2.9", server).status == 403)
            }
            let cut = try await Self.issue(Installation.bootstrap, from: "192.0.2.9", server)
            #expect(cut.status == 429 && cut.headers["retry-after"] != nil)
            for number in 1...40 { _ = try await Self.issue("guess", from: "198.51.100.\(number)", server) }
            #expect(try await Self.issue(Installation.bootstrap, from: "203.0.113.1", server).status == 200)
            // Once it was right, it is let through from everywhere.
            #expect(try await Self.issue(Installation.bootstrap, from: "192.0.2.9", server).status == 200)
        }
    }

    @Test func `every kind of credential counts for its address`() async throws {
        try await Installation.with(.sqlite, Self.settings) { server in
            let token = try await server.token()
            func basic(_ user: String, _ password: String) -> (String, String) {
                ("Authorization", "Basic \(Base64.encode(Array("\(user):\(password)".utf8)))")
            }
            let guesses: [(String, String)] = [
                ("Authorization", "Bearer one"), basic("alice", "two"), ("Authorization", "three"),
                basic("bob", "four"),
            ]
            for guess in guesses {
                #expect(try await server.send("GET", "/v1/repos", headers: [guess]).status == 401)
            }
            #expect(try await Self.issue("five", server).status == 403)
            #expect(try await server.send("GET", "/v1/repos", headers: [basic("carol", "six")]).status == 429)
            #expect(try await Self.issue("seven", server).status == 429)
            #expect(try await server.send("GET", "/v1/repos", token: token).status == 200)
        }
    }

    @Test func `guesses with a user's name do not throttle that user`() async throws {
        try await Installation.with(.sqlite, Self.settings) { server in
            let token = try await server.token(["repo:*:admin"], subject: "alice")
            func send(_ password: String, from address: String) async throws -> Int {
                let pair = Base64.encode(Array("alice:\(password)".utf8))
                return try await server.send(
                    "GET", "/v1/repos", headers: [("Authorization", "Basic \(pair)")], from: address
                ).status
            }
            for number in 1...200 { _ = try await send("guess \(number)", from: "198.51.100.\(number)") }
            #expect(try await send(token, from: "192.0.2.1") == 200)
            #expect(try await send("a typo", from: "192.0.2.1") == 401)
        }
    }

    @Test func `a request with two credentials of a kind is rejected`() async throws {
        try await Installation.with(.sqlite) { server in
            let token = try await server.token()
            let two = try await server.send(
                "GET", "/v1/repos",
                headers: [("Authorization", "Bearer \(token)"), ("Authorization", "Bearer other")])
            #expect(two.status == 400)
            let bootstraps = try await server.send(
                "POST", "/v1/auth/pats",
                headers: [
                    ("X-Bootstrap-Token", "a"), ("X-Bootstrap-Token", "b"), ("Content-Type", "application/json"),
                ], body: Self.issue.bytes)
            #expect(bootstraps.status == 400)
        }
    }

    @Test func `guesses beyond the limit leave no further rows in the audit log`() async throws {
        try await Installation.with(.sqlite, Self.settings) { server in
            let token = try await server.token()
            for number in 1...60 {
                _ = try await Self.issue("guess \(number)", from: "192.0.2.9", bearer: "b\(number)", server)
            }
            let rows = try await server.audit(token)
            #expect(rows.filter { $0["action"]?.text == "access.denied" }.count <= 5)
            #expect(rows.filter { $0["action"]?.text == "access.throttled" }.count == 1)
        }
    }
}
