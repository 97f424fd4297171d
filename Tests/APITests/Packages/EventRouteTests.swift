// The feed of events: gapless, filtered by visibility, waited for, bounded. Rules: HTTP contract, section 9, rows 27
// and 37.

import Domain
import HTTP
import Persistence
import Registry
import TestSupport
import Testing
import Threads

@testable import artifortress

@Suite struct EventRouteTests {
    private static let path = "/v1/repos/pkgs/events"

    private static func seqs(_ answer: Answer) -> [Int64] {
        (answer.json["events"]?.elements ?? []).compactMap { $0["seq"]?.integer }
    }

    @Test(arguments: Engine.direct)
    func `events are numbered from one without a gap, and paged`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let empty = try await server.send("GET", "\(Self.path)?wait=0", token: token)
            #expect(empty.status == 200 && empty.json["events"] == [] && empty.json["next"] == 0)
            for number in 1...5 { try await server.published("p", "\(number).0.0", token: token) }
            let all = try await server.send("GET", "\(Self.path)?wait=0", token: token)
            #expect(Self.seqs(all) == [1, 2, 3, 4, 5] && all.json["latestSeq"] == 5)
            let first = all.json["events"]?.elements?.first
            #expect(first?["type"] == "version.published" && first?["data"]?["version"] == "1.0.0")
            let page = try await server.send("GET", "\(Self.path)?after=1&limit=2&wait=0", token: token)
            #expect(Self.seqs(page) == [2, 3] && page.json["next"] == 3)
            for bad in ["after=x", "after=-1", "wait=-1", "wait=x"] {
                #expect(try await server.send("GET", "\(Self.path)?\(bad)", token: token).status == 400)
            }
            let writer = try await server.token(["repo:other:write"], subject: "writer")
            #expect(try await server.send("GET", "\(Self.path)?wait=0", token: writer).status == 403)
        }
    }

    @Test(arguments: Engine.direct)
    func `what can't be seen isn't told of until it is released`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.published("p", token: token)
            try await server.published("q", token: token)
            try await server.quarantine(id, "quarantined")
            let hidden = try await server.send("GET", "\(Self.path)?wait=0", token: token)
            #expect(Self.seqs(hidden) == [2] && hidden.json["next"] == 2)
            let page = try await server.send("GET", "\(Self.path)?wait=0&limit=1", token: token)
            #expect(Self.seqs(page) == [2], "a page of what is withheld is passed over")
            try await server.quarantine(id, "released")
            #expect(Self.seqs(try await server.send("GET", "\(Self.path)?wait=0", token: token)) == [1, 2])
        }
    }

    @Test(arguments: Engine.direct)
    func `who waits is told of the next event at once`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.completeDraft("p", token: token)
            let start = ContinuousClock.now
            async let waiting = server.send("GET", "\(Self.path)?after=0&wait=50", token: token)
            // The answer comes whether the publish is before or after the first look.
            #expect(try await server.publish(id, token: token).status == 200)
            let answer = try await waiting
            #expect(Self.seqs(answer) == [1] && ContinuousClock.now - start < .seconds(40))
        }
    }

    @Test(arguments: Engine.direct)
    func `who waits while the server ends is let go`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let start = ContinuousClock.now
            async let waiting = server.send("GET", "\(Self.path)?after=0&wait=50", token: token)
            server.serving.feedEnd.come()
            let answer = try await waiting
            #expect(answer.status == 200 && answer.json["events"] == [] && ContinuousClock.now - start < .seconds(40))
        }
    }

    @Test(arguments: Engine.direct)
    func `old events go, the log stays gapless, and who comes too late is told`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            try await server.createRepository("other", token: token)
            for number in 1...6 { try await server.published("p", "\(number).0.0", token: token) }
            try await server.published("p", in: "other", token: token)
            let now = server.serving.clock.now()
            let (old, older) = (now + -31 * 86400, now + -40 * 86400)
            // A clock that ran behind: a young event stands before an old one, and keeps it.
            try await server.execute("UPDATE events SET occurred_at = \(old) WHERE seq IN (1, 2, 3, 5)")
            try await server.execute(
                "UPDATE outbox_events SET delivered_at = \(older) WHERE event_id IN (SELECT event_id FROM events WHERE seq = 1)"
            )
            let retention = EventRetention(database: server.database, clock: server.serving.clock, days: 30)
            #expect(try await retention.run() == 3 + 1 + 2)
            #expect(try await retention.run() == 0)
            #expect(try await server.count("outbox_events") == 5)

            let gone = try await server.send("GET", "\(Self.path)?after=2&wait=0", token: token)
            #expect(gone.status == 410 && gone.error == "gone" && gone.json["oldestSeq"] == 4)
            #expect(Self.seqs(try await server.send("GET", "\(Self.path)?after=3&wait=0", token: token)) == [4, 5, 6])
            #expect(Self.seqs(try await server.send("GET", "\(Self.path)?wait=0", token: token)) == [4, 5, 6])
            // Of a log that is pruned whole, the numbers go on.
            let other = "/v1/repos/other/events"
            #expect(try await server.send("GET", "\(other)?after=0&wait=0", token: token).status == 410)
            #expect(try await server.send("GET", "\(other)?after=1&wait=0", token: token).json["events"] == [])
            try await server.published("p", "2.0.0", in: "other", token: token)
            #expect(Self.seqs(try await server.send("GET", "\(other)?wait=0", token: token)) == [2])
        }
    }

    @Test(arguments: Engine.direct)
    func `a burned coordinate is shown, and lifted by a tenant administrator`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            for version in ["1.0.0", "2.0.0"] { try await server.retire("p", version, namespace: "@s") }
            let path = "/v1/repos/pkgs/retired-coordinates"
            let list = try await server.send("GET", "\(path)?limit=1", token: token)
            #expect(list.json["items"]?.elements?.first?["version"] == "1.0.0")
            let next = try #require(list.json["next"]?.text)
            let rest = try await server.send("GET", "\(path)?after=\(next)", token: token)
            #expect(rest.json["items"]?.elements?.map { $0["version"] } == ["2.0.0"])
            let one = "\(path)/npm/p/1.0.0?namespace=@s"
            let admin = try await server.token(["repo:pkgs:admin"], subject: "repo-admin")
            #expect(try await server.send("DELETE", one, token: admin).status == 403)
            #expect(try await server.send("DELETE", one, token: token).json["status"] == "lifted")
            #expect(try await server.send("DELETE", one, token: token).status == 404)
            #expect(try await server.audit(token, "action=package.coordinate.lifted").count == 1)
            _ = try await server.draft("p", "1.0.0", namespace: "@s", token: token)
        }
    }
}
