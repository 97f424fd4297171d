// Two real workers on one PostgreSQL, killed at random: each job takes effect once, each webhook arrives at least once under
// one id, none is lost, the order is kept, and a receiver that hangs or refuses holds up no other. `make worker-drill` runs
// it with ten thousand events and prints what it has counted.

import Domain
import Foundation
import HTTP
import Persistence
import PostgreSQL
import Synchronization
import TestSupport
import Testing

@Suite(.enabled(if: Engine.postgreSQL.address != nil)) struct WorkerRivalTests {
    private static let events =
        ProcessInfo.processInfo.environment["ARTIFORTRESS_TEST_WORKER_EVENTS"].flatMap { Int($0) } ?? 300
    private static let kills = max(5, Self.events / 250)
    private static let repos = ["alpha", "beta"]

    @Test func `nothing is lost, done twice or out of order, whoever is killed`() async throws {
        try await SharedStores.with { stores in
            let workers = WorkerPair(
                try stores.settings(
                    "worker",
                    [
                        "webhooks.allowPrivateAddresses": "true", "webhooks.timeoutSeconds": "3",
                        "webhooks.retrySeconds": "1", "webhooks.maxAttempts": "100", "worker.pollSeconds": "1",
                        "worker.batchSize": "20", "worker.searchJobLeaseSeconds": "30", "log.level": "warning",
                    ]), stores.directory)
            let server = try stores.server(
                "server", ["roles": "api", "log.level": "error", "webhooks.allowPrivateAddresses": "true"])
            defer { server.kill() }
            let audience = Audience(expecting: Self.events)
            try await Self.note(stores.database)
            try await server.start()
            try await TestServer.with({ try await audience.hear($0) }) { url in
                try await Self.run(server, workers, audience, at: url, stores.database)
            }
        }
    }

    private static func run(
        _ server: ServerProcess, _ workers: WorkerPair, _ audience: Audience, at url: String, _ database: any Database
    ) async throws {
        defer { workers.killAll() }
        let token = try await server.token()
        for repo in Self.repos { try await server.createRepository(repo, token: token) }
        for name in Audience.all {
            let answer = try await server.post(
                "/v1/admin/webhooks", ["url": .string("\(url)/\(name)")], token: token)
            try #require(answer.status == 201, "\(answer.text)")
        }
        let start = ContinuousClock.now
        try workers.startAll()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    for number in stride(from: writer, to: Self.events, by: 4) {
                        let path = "/generic/\(Self.repos[number % 2])/f\(number)"
                        let answer = try await server.put(path, Array("\(number)".utf8), token: token)
                        guard answer.status == 201 else { throw WireFailure(description: "\(path): \(answer.text)") }
                    }
                }
            }
            group.addTask {
                var random = SystemRandomNumberGenerator()
                for _ in 0..<Self.kills {
                    let goal = audience.count + Int.random(in: 1...(Self.events / Self.kills), using: &random)
                    _ = await eventually(within: .seconds(60)) { audience.count >= goal || audience.hasHeardAll }
                    try workers.replace(Int.random(in: 0...1, using: &random))
                }
            }
            try await group.waitForAll()
        }
        #expect(try await Self.settles(audience, database), "heard \(audience.progress); \(workers.log)")
        for kind in ["event", "job", "document"] {
            let effects = try await Self.effects(kind, database)
            #expect(effects == Effects(count: Self.events, distinct: Self.events), "\(kind)")
        }
        let told = try await Self.effects("webhook", database)
        #expect(told == Effects(count: told.distinct, distinct: Audience.listeners.count * Self.events))
        for name in Audience.listeners { audience.checkAll(name) }
        // Those that never accept are still where they began, and the others were told meanwhile.
        for name in Audience.strays {
            audience.checkFirst(name)
            #expect(try await Self.waiting(for: "\(url)/\(name)", database) == Self.events, "\(name)")
        }
        #expect(audience.heardBesideHanging > 0)
        print(
            """
            worker drill: \(Self.events) events, \(Self.kills) workers killed, in \((ContinuousClock.now - start).components.seconds) s
              took effect once: \(Self.events) events, \(Self.events) search jobs, \(Self.events) documents, \
            \(told.count) deliveries
            \(audience.report)
            """)
    }

    /// Waits for everything, as long as something still comes.
    private static func settles(_ audience: Audience, _ database: any Database) async throws -> Bool {
        var last = -1
        while true {
            var now = 0
            let isDone = try await eventually(within: .seconds(120)) {
                let told = try await self.effects("webhook", database).count
                let indexed = try await self.effects("job", database).count
                now = told + indexed
                return audience.hasHeardAll && told >= Audience.listeners.count * Self.events && indexed >= Self.events
            }
            if isDone || now == last { return isDone }
            last = now
        }
    }

    private static func waiting(for url: String, _ database: any Database) async throws -> Int {
        try await database.lookup { transaction in
            try transaction.first(
                """
                SELECT COUNT(*) FROM webhook_deliveries d JOIN webhooks w ON w.webhook_id = d.webhook_id
                WHERE w.url = \(url) AND w.disabled_at IS NULL AND d.status = 'pending'
                """, as: { try $0[0] as Int })
        } ?? 0
    }

    private struct Effects: Equatable {
        let count: Int
        let distinct: Int
    }

    private static func effects(_ kind: String, _ database: any Database) async throws -> Effects {
        try await database.lookup { transaction in
            try transaction.first(
                "SELECT COUNT(*), COUNT(DISTINCT id) FROM test_effects WHERE kind = \(kind)",
                as: { Effects(count: try $0[0], distinct: try $0[1]) })
        } ?? Effects(count: 0, distinct: 0)
    }

    /// Lets the database itself note each effect.
    private static func note(_ database: any Database) async throws {
        let effects = [
            (
                "event", "outbox_events", "UPDATE", "event_id",
                "OLD.delivered_at IS NULL AND NEW.delivered_at IS NOT NULL"
            ),
            ("job", "search_index_jobs", "UPDATE", "job_id", "OLD.status <> 'completed' AND NEW.status = 'completed'"),
            ("document", "search_documents", "INSERT", "version_id", "true"),
            (
                "webhook", "webhook_deliveries", "UPDATE", "delivery_id",
                "OLD.status <> 'delivered' AND NEW.status = 'delivered'"
            ),
        ]
        let triggers = effects.map { kind, table, operation, id, condition in
            """
            CREATE FUNCTION test_note_\(kind)() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                INSERT INTO test_effects (kind, id) VALUES ('\(kind)', NEW.\(id)); RETURN NULL;
            END $$;
            CREATE TRIGGER test_note AFTER \(operation) ON \(table) FOR EACH ROW WHEN (\(condition))
                EXECUTE FUNCTION test_note_\(kind)();
            """
        }
        let script = (["CREATE TABLE test_effects (kind text, id uuid);"] + triggers).joined(separator: "\n")
        try await database.transaction { try $0.run(script: script) }
    }
}

/// Two worker processes, by number.
private final class WorkerPair: Sendable {
    private let settings: [String: String]
    private let directory: String
    private let processes = Mutex<[Process?]>([nil, nil])

    init(_ settings: [String: String], _ directory: String) {
        self.settings = settings
        self.directory = directory
    }

    func startAll() throws { for number in 0...1 { try self.start(number) } }

    /// kill -9, and another in its place.
    func replace(_ number: Int) throws {
        self.kill(number)
        try self.start(number)
    }

    func killAll() { for number in 0...1 { self.kill(number) } }

    var log: String {
        (0...1).map { (try? String(contentsOfFile: self.logFile($0), encoding: .utf8))?.suffix(2000) ?? "" }
            .joined(separator: "\n")
    }

    private func logFile(_ number: Int) -> String { "\(self.directory)/worker-\(number).log" }

    private func start(_ number: Int) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: ServerProcess.binary)
        process.arguments =
            ["worker"] + self.settings.sorted { $0.key < $1.key }.map { "--\(ServerProcess.flag($0.key))=\($0.value)" }
        let file = self.logFile(number)
        if !FileManager.default.fileExists(atPath: file) {
            _ = FileManager.default.createFile(atPath: file, contents: nil)
        }
        let log = try #require(FileHandle(forWritingAtPath: file))
        log.seekToEndOfFile()
        (process.standardOutput, process.standardError) = (log, log)
        try process.run()
        self.processes.withLock { $0[number] = process }
    }

    private func kill(_ number: Int) {
        let process = self.processes.withLock { processes in
            defer { processes[number] = nil }
            return processes[number]
        }
        guard let process else { return }
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}

/// Receivers: one that accepts everything, one that fails now and then, one that refuses everything, one that never answers.
private final class Audience: Sendable {
    static let listeners = ["steady", "flaky"]
    static let strays = ["refuses", "hangs"]
    static let all = Audience.listeners + Audience.strays

    private struct Arrival {
        let repo: String
        let seq: Int64
        let event: String
        let time: ContinuousClock.Instant
    }

    private struct State {
        var arrivals: [String: [Arrival]] = [:]
        var accepted: [String: Set<String>] = [:]
    }

    private let expected: Int
    private let state = Mutex(State())

    init(expecting count: Int) { self.expected = count }

    /// Of the one that accepts everything.
    var count: Int { self.arrivals("steady").count }
    var progress: [String: Int] { self.state.withLock { $0.accepted.mapValues(\.count) } }
    var hasHeardAll: Bool {
        let progress = self.progress
        return Self.listeners.allSatisfy { progress[$0] == self.expected }
    }

    private func arrivals(_ name: String) -> [Arrival] { self.state.withLock { $0.arrivals[name] ?? [] } }

    func hear(_ request: Request) async throws -> Response {
        let name = String(request.target.path.dropFirst())
        let body = try JSON(parsing: try await request.body.collect(upTo: 1 << 20))
        let arrival = Arrival(
            repo: body["data"]?["repoKey"]?.text ?? "", seq: body["seq"]?.integer ?? 0,
            event: body["eventId"]?.text ?? "", time: .now)
        let isAccepted = self.state.withLock { state in
            state.arrivals[name, default: []].append(arrival)
            // The flaky one fails five times in all.
            let isFlaw = name == "flaky" && state.arrivals[name, default: []].count % (self.expected / 5) == 3
            guard Self.listeners.contains(name), !isFlaw else { return false }
            state.accepted[name, default: []].insert(arrival.event)
            return true
        }
        if name == "hangs" { try await Task.sleep(for: .seconds(600)) }  // longer than anybody waits
        return Response(isAccepted ? 204 : 503)
    }

    /// Every number of every repository, in order when it first came, always under the same id.
    func checkAll(_ name: String) {
        var all = 0
        for (repo, arrivals) in Dictionary(grouping: self.arrivals(name), by: \.repo) {
            var (first, ids): ([Int64], [Int64: String]) = ([], [:])
            for arrival in arrivals {
                if let known = ids[arrival.seq] {
                    #expect(known == arrival.event, "\(name), \(repo) \(arrival.seq) has two ids")
                } else {
                    ids[arrival.seq] = arrival.event
                    first.append(arrival.seq)
                }
            }
            #expect(first == Array(1...Int64(first.count)), "\(name), \(repo): out of order, or a gap")
            all += first.count
        }
        #expect(all == self.expected, "\(name)")
    }

    /// One that never accepts is told the same again and again, and nothing behind it.
    func checkFirst(_ name: String) {
        let arrivals = self.arrivals(name)
        #expect(!arrivals.isEmpty, "\(name)")
        #expect(Set(arrivals.map(\.event)).count == 1, "\(name)")
        #expect(arrivals.allSatisfy { $0.seq == 1 }, "\(name)")
    }

    /// How much the steady one heard while a request to the hanging one was open: in the two seconds behind its arrival,
    /// for it is given up after three.
    var heardBesideHanging: Int {
        let hung = self.arrivals("hangs").map(\.time)
        return self.arrivals("steady").count { arrival in
            hung.contains { $0 < arrival.time && arrival.time < $0 + .seconds(2) }
        }
    }

    var report: String {
        let lines = Self.all.map { name in
            let arrivals = self.arrivals(name)
            let distinct = Set(arrivals.map(\.event)).count
            let pauses = zip(arrivals, arrivals.dropFirst()).map { $1.time - $0.time }
            let longest = (pauses.max() ?? .zero).components.seconds
            return "  \(name): \(arrivals.count) requests, \(distinct) events, the longest pause \(longest) s"
        }
        return (lines + ["  the steady one heard \(self.heardBesideHanging) while the hanging one was asked"])
            .joined(separator: "\n")
    }
}
