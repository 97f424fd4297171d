// Guessing credentials is slowed down. Rules: HTTP contract, section 9, rows 21 and 34.

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

    private func throttle(_ address: Int = 3, _ subject: Int = 2) -> Throttle {
        Throttle(addressLimit: address, subjectLimit: subject, windowSeconds: 60, clock: self.hand.clock)
    }

    private func attempt(_ credential: UInt64, _ names: Throttle.Name...) -> Throttle.Attempt {
        Throttle.Attempt(names: names, credential: credential)
    }

    private func isRefused(_ verdict: Throttle.Verdict) -> Bool {
        if case .refused = verdict { true } else { false }
    }

    @Test func `exactly as many failures as allowed are answered as such`() {
        let throttle = self.throttle()
        for credential in 1...3 as ClosedRange<UInt64> {
            let attempt = self.attempt(credential, .address("a"))
            #expect(throttle.admit(attempt) == .admitted)
            throttle.end(attempt, isFailure: true)
        }
        let next = self.attempt(4, .address("a"))
        #expect(throttle.admit(next) == .refused(.address("a"), retryAfter: 60, isFirst: true))
        #expect(throttle.admit(next) == .refused(.address("a"), retryAfter: 60, isFirst: false))
        #expect(throttle.admit(self.attempt(4, .address("b"))) == .admitted)
        self.hand.advance(seconds: 59)
        #expect(throttle.admit(next) == .refused(.address("a"), retryAfter: 1, isFirst: false))
        self.hand.advance(seconds: 1)
        #expect(throttle.admit(next) == .admitted)
    }

    @Test func `a subject is guarded from many addresses`() {
        let throttle = self.throttle()
        for credential in 1...2 as ClosedRange<UInt64> {
            let attempt = self.attempt(credential, .address("a\(credential)"), .subject("s"))
            #expect(throttle.admit(attempt) == .admitted)
            throttle.end(attempt, isFailure: true)
        }
        #expect(self.isRefused(throttle.admit(self.attempt(3, .address("a3"), .subject("s")))))
        #expect(throttle.admit(self.attempt(3, .address("a3"))) == .admitted)
    }

    @Test func `guesses that are being looked at count, the same one counts once`() {
        let throttle = self.throttle()
        for credential in [1, 1, 1, 1, 2, 3] as [UInt64] {
            #expect(throttle.admit(self.attempt(credential, .address("a"))) == .admitted)
        }
        #expect(self.isRefused(throttle.admit(self.attempt(4, .address("a")))))
        throttle.end(self.attempt(3, .address("a")), isFailure: nil)
        #expect(throttle.admit(self.attempt(4, .address("a"))) == .admitted)
    }

    @Test func `who has been right lately is let through, until he is wrong`() {
        let throttle = self.throttle()
        let good = self.attempt(99, .address("a"))
        #expect(throttle.admit(good) == .admitted)
        throttle.end(good, isFailure: false)
        for credential in 1...3 as ClosedRange<UInt64> {
            _ = throttle.admit(self.attempt(credential, .address("a")))
            throttle.end(self.attempt(credential, .address("a")), isFailure: true)
        }
        #expect(self.isRefused(throttle.admit(self.attempt(4, .address("a")))))
        #expect(throttle.admit(good) == .admitted)
        throttle.end(good, isFailure: true)
        #expect(self.isRefused(throttle.admit(good)))
    }

    @Test func `an address's failed tokens end in 429 with Retry-After, and one audit row`() async throws {
        let settings = ["auth.throttle.addressAttempts": "5", "auth.throttle.windowSeconds": "3600"]
        try await Installation.with(.sqlite, settings) { server in
            let token = try await server.token()
            #expect(try await server.send("GET", "/v1/repos", token: token).status == 200)
            for path in ["/v1/repos", "/generic/x/y", "/v1/audit", "/v1/repos", "/generic/x/"] {
                #expect(try await server.send("GET", path, token: "guess \(path)").status == 401)
            }
            for path in ["/v1/repos", "/generic/x/y"] {
                let answer = try await server.send("GET", path, token: "guess again")
                #expect(answer.status == 429)
                let seconds = try #require(answer.headers["retry-after"].flatMap { Int($0) })
                #expect((1...3600).contains(seconds))
            }
            let answer = try await server.send("GET", "/v1/repos", token: "guess again")
            #expect(answer.error == "too_many_requests")
            // Others, and who presents nothing, are not concerned.
            #expect(try await server.send("GET", "/v1/repos", token: token).status == 200)
            #expect(try await server.send("GET", "/v1/repos", token: nil).status == 401)
            let elsewhere = try await server.send(
                "GET", "/v1/repos", headers: [("Authorization", "Bearer guess")], from: "198.51.100.1")
            #expect(elsewhere.status == 401)
            #expect(try await server.audit(token, "action=access.throttled").count == 1)
        }
    }

    @Test func `the bootstrap token can't be guessed at length`() async throws {
        try await Installation.with(.sqlite, ["auth.throttle.subjectAttempts": "3"]) { server in
            let body: JSON = ["subject": "x", "ttlMinutes": 5, "scopes": ["repo:*:admin"]]
            func issue(_ bootstrap: String, from address: String) async throws -> Answer {
                try await server.send(
                    "POST", "/v1/auth/pats",
                    headers: [("X-Bootstrap-Token", bootstrap), ("Content-Type", "application/json")],
                    body: body.bytes, from: address)
            }
            for number in 1...3 {
                #expect(try await issue("guess \(number)", from: "192.0.2.\(number)").status == 403)
            }
            let cut = try await issue(Installation.bootstrap, from: "192.0.2.99")
            #expect(cut.status == 429 && cut.headers["retry-after"] != nil)
        }
    }

    @Test func `a user name of Basic is guarded too`() async throws {
        try await Installation.with(.sqlite, ["auth.throttle.subjectAttempts": "2"]) { server in
            for (number, status) in [(1, 401), (2, 401), (3, 429)] {
                let pair = Base64.encode(Array("Alice:guess \(number)".utf8))
                let answer = try await server.send(
                    "GET", "/v1/repos", headers: [("Authorization", "Basic \(pair)")], from: "192.0.2.\(number)")
                #expect(answer.status == status)
            }
        }
    }
}
