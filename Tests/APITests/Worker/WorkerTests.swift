// Outbox and jobs: one event never holds back another, who has lost his lease changes nothing, what fails is tried again
// and given up. Rules: HTTP contract, 4.3, 4.4 and section 9, row 8.

import Domain
import Persistence
import Registry
import TestSupport
import Testing
import Threads
import Worker

@testable import artifortress

@Suite struct WorkerTests {
    private static func insertEvent(
        _ aggregate: String, payload: JSON = [:], type: String = "version.published", _ server: Installation
    ) async throws -> UniqueID {
        let (id, now) = (UniqueID.random(), server.serving.clock.now())
        let tenant = server.deployment.defaultTenant
        try await server.execute(
            """
            INSERT INTO outbox_events (event_id, tenant_id, aggregate_type, aggregate_id, event_type, payload,
                available_at, occurred_at)
            VALUES (\(id), \(tenant), 'package_version', \(aggregate), \(type), \(payload), \(now), \(now + -60))
            """)
        return id
    }

    @Test(arguments: Engine.direct)
    func `a publication makes one job and one document, however often it is told`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.published("p", token: token)
            _ = try await Self.insertEvent(id, server)
            _ = try await Self.insertEvent("no id", payload: ["versionId": .string(id)], server)
            let other = try await Self.insertEvent(id, type: "something.else", server)
            let relay = Self.relay(server)
            let sweep = try await relay.sweep()
            #expect(sweep == OutboxRelay.Sweep(claimed: 3, enqueued: 3, delivered: 3))
            #expect(try await server.count("search_index_jobs WHERE status = 'pending'") == 1)
            #expect(try await relay.sweep().claimed == 0)
            #expect(try await Self.indexing(server).sweep() == SearchIndexing.Sweep(claimed: 1, completed: 1))
            #expect(try await Self.indexing(server).sweep().claimed == 0)
            let text = try await server.texts("SELECT search_text FROM search_documents")
            #expect(text.count == 1 && text[0].hasPrefix("pkgs npm p 1.0.0 {"))
            #expect(text[0].contains(#""name""#))
            let untouched = try await server.count(
                "outbox_events WHERE event_id = \(other) AND delivered_at IS NULL AND delivery_attempts = 0")
            #expect(untouched == 1)
        }
    }

    @Test(arguments: Engine.direct)
    func `a malformed event holds nobody back, is given up, kept, and can be tried again`(
        engine: Engine
    ) async throws {
        try await Installation.with(engine, ["worker.searchJobMaxAttempts": "2"]) { server in
            let token = try await server.withPackages()
            let bad = try await Self.insertEvent("no id", server)
            try await server.published("good", token: token)
            try await server.index()
            #expect(try await server.found("q=good", token: token) == ["good@1.0.0"])
            #expect(try await server.send("GET", "/v1/admin/dead-letters", token: token).json == [])
            // Five minutes later.
            try await server.execute("UPDATE outbox_events SET available_at = occurred_at WHERE event_id = \(bad)")
            try await server.index()
            let letters = try await server.send("GET", "/v1/admin/dead-letters", token: token)
            let letter = try #require(letters.json.elements?.first, "\(letters.text)")
            #expect(letter["deadLetterId"] == .string(bad.description) && letter["kind"] == "outbox_event")
            #expect(letter["attempts"] == 2 && letter["lastError"]?.text?.hasPrefix("malformed") == true)
            let path = "/v1/admin/dead-letters/\(bad)/retry"
            let reader = try await server.token(["repo:pkgs:admin"], subject: "reader")
            #expect(try await server.send("POST", path, token: reader).status == 403)
            #expect(try await server.send("POST", path, token: token).json["status"] == "pending")
            #expect(try await server.send("POST", path, token: token).status == 404)
            #expect(try await server.audit(token).contains { $0["action"] == "dead_letter.retried" })
            let due = try await server.count(
                "outbox_events WHERE event_id = \(bad) AND dead_lettered_at IS NULL AND delivery_attempts = 0")
            #expect(due == 1)
        }
    }

    @Test(arguments: Engine.direct)
    func `a job without a published version fails, is tried again, and is given up`(engine: Engine) async throws {
        try await Installation.with(engine, ["worker.searchJobMaxAttempts": "2"]) { server in
            let token = try await server.withPackages()
            let draft = try await server.completeDraft("draft", token: token)
            _ = try await Self.insertEvent(draft, server)
            let start = server.serving.clock.now()
            try await server.index()
            let end = server.serving.clock.now()
            let error = try await server.texts("SELECT last_error FROM search_index_jobs WHERE status = 'failed'")
            #expect(error == ["version_not_published"])
            // Thirty seconds, and no more than a tenth of them besides.
            #expect(try await server.count("search_index_jobs WHERE available_at >= \(start + 30)") == 1)
            #expect(try await server.count("search_index_jobs WHERE available_at > \(end + 34)") == 0)
            // Not before its time, however long a slow machine takes to look again.
            try await server.execute("UPDATE search_index_jobs SET available_at = \(end + 86400)")
            try await server.index()
            #expect(try await server.count("search_index_jobs WHERE attempts = 1") == 1)
            try await server.execute("UPDATE search_index_jobs SET available_at = created_at")
            try await server.index()
            try await server.execute("UPDATE search_index_jobs SET available_at = created_at")
            try await server.index()
            #expect(try await server.count("search_index_jobs WHERE attempts = 2") == 1)
            let letter = try await server.send("GET", "/v1/admin/dead-letters", token: token).json.elements?.first
            #expect(letter?["kind"] == "search_job" && letter?["resourceId"] == .string(draft))
            let id = try #require(letter?["deadLetterId"]?.text)
            #expect(try await server.publish(draft, token: token).status == 200)
            let retry = try await server.send("POST", "/v1/admin/dead-letters/\(id)/retry", token: token)
            #expect(retry.status == 200)
            try await server.index()
            #expect(try await server.found("q=draft", token: token) == ["draft@1.0.0"])
        }
    }

    @Test(arguments: Engine.direct)
    func `who has lost his lease completes nothing`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.published("p", token: token)
            let (database, now) = (server.database, server.serving.clock.now())
            let (mine, later) = (Lease(from: now, seconds: 30), now + 31)
            let theirs = Lease(from: later, seconds: 30)
            let events = try await database.transaction { try Outbox.claim(mine, at: now, limit: 10, $0) }
            #expect(events.count == 1 && events[0].attempts == 1)
            #expect(try await database.transaction { try Outbox.claim(theirs, at: now, limit: 10, $0) } == [])
            let again = try await database.transaction { try Outbox.claim(theirs, at: later, limit: 10, $0) }
            #expect(again.map(\.id) == events.map(\.id) && again[0].attempts == 2)
            let outcomes = try await database.transaction { transaction in
                (
                    try Outbox.deliver(events[0], under: mine, at: later, transaction),
                    try Outbox.deliver(again[0], under: theirs, at: later, transaction),
                    try Outbox.deliver(again[0], under: theirs, at: later, transaction)
                )
            }
            #expect(outcomes == (false, true, false))

            let version = try server.version(id)
            let tenant = server.deployment.defaultTenant
            try await server.execute(SearchJobStore.request(version, of: tenant, at: now))
            let claim: @Sendable (Lease, Timestamp) async throws -> [SearchJob] = { lease, time in
                try await database.transaction {
                    try SearchJobStore.claim(
                        lease, staleSince: time + -30, maxAttempts: 5, at: time, limit: 10, $0)
                }
            }
            let jobs = try await claim(mine, now)
            #expect(jobs.count == 1)
            #expect(try await claim(theirs, now + 29).isEmpty)
            #expect(try await claim(theirs, later).count == 1)
            let isMine = try await database.transaction { transaction in
                let completed = try SearchJobStore.complete(jobs[0], under: mine, at: later, transaction)
                let failed = try SearchJobStore.fail(
                    jobs[0], .writeFailed, retryAt: later, under: mine, at: later, transaction)
                return completed || failed
            }
            #expect(!isMine)
            // Requested anew while it is worked on: the worker's outcome is of another version of it.
            try await server.execute(SearchJobStore.request(version, of: tenant, at: now))
            let isTheirs = try await database.transaction {
                try SearchJobStore.complete(jobs[0], under: theirs, at: later, $0)
            }
            #expect(!isTheirs)
            try await server.index()
            #expect(try await server.found("q=p", token: token) == ["p@1.0.0"])
        }
    }

    @Test(arguments: Engine.direct)
    func `words of versions that are deleted leave the index, and an unchanged one isn't written again`(
        engine: Engine
    ) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            try await server.published("p", token: token)
            try await server.published("q", token: token)
            try await server.index()
            let times = "SELECT CAST(indexed_at AS text) FROM search_documents ORDER BY package_name" as SQL
            let before = try await server.texts(times)
            _ = try await server.send("POST", "/v1/admin/search/rebuild", token: token)
            try await server.index()
            #expect(try await server.texts(times) == before)
            try await server.execute("DELETE FROM search_documents WHERE package_name = 'p'")
            #expect(try await server.count("search_forgotten") == 1)
            #expect(try await server.count("search_index") == 2)
            try await server.index()
            #expect(try await server.count("search_forgotten") == 0)
            #expect(try await server.count("search_index") == 1)
            #expect(try await server.found("q=q", token: token) == ["q@1.0.0"])
        }
    }

    @Test(arguments: Engine.direct)
    func `claiming and counting read no whole table`(engine: Engine) async throws {
        try await engine.withSeededCopy { database in
            let tenant = TenantID(Seeded.tenant(of: 7))
            let (now, lease) = (Seeded.now, Lease(from: Seeded.now, seconds: 30))
            _ = try await database.read { transaction in
                _ = try DeadLetterStore.list(of: tenant, maxAttempts: 5, limit: 10, transaction)
                _ = try SearchJobStore.counts(of: tenant, in: nil, transaction)
                _ = try SearchJobStore.oldest(of: tenant, in: nil, transaction)
                _ = try SearchJobStore.stale(of: tenant, in: nil, since: now, transaction)
                _ = try SearchStore.freshness(of: tenant, in: nil, transaction)
                _ = try SearchStore.freshness(of: tenant, in: RepoID(Seeded.id(.repo, 1)), transaction)
            }
            // Nothing of it stays.
            await #expect(throws: Undo.self) {
                try await database.transaction { transaction in
                    _ = try Outbox.claim(lease, at: now, limit: 10, transaction)
                    _ = try SearchJobStore.claim(
                        lease, staleSince: now, maxAttempts: 5, at: now, limit: 1000, transaction)
                    #expect(try SearchIndexStore.renew(limit: 10, transaction) == 10)
                    _ = try WebhookStore.claim(lease, at: now, limit: 10, transaction)
                    _ = try SearchJobStore.requestNewest(
                        of: tenant, in: nil, after: nil, limit: 10, at: now, transaction)
                    _ = try WebhookDeliveryStore.head(of: WebhookID(.random()), transaction)
                    throw Undo()
                }
            }
            let plans = database.takePlans()
            // Controls are a row a tenant; "s" and "b" are what was counted, no tables.
            let rows = ["search_controls", "s", "b"]
            #expect(plans.flatMap(\.fullScans).filter { !rows.contains($0) } == [], "\(plans)")
        }
    }

    private struct Undo: Error {}

    private static func relay(_ server: Installation) -> OutboxRelay {
        OutboxRelay(database: server.database, clock: server.serving.clock, batch: 100, maxAttempts: 5)
    }

    private static func indexing(_ server: Installation) -> SearchIndexing {
        SearchIndexing(
            database: server.database, clock: server.serving.clock, batch: 100, maxAttempts: 5, leaseSeconds: 300)
    }
}
