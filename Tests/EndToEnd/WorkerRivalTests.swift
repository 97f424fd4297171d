// Two real workers on one PostgreSQL, killed at random: each job takes effect once, each webhook arrives at least once under
// one id, none is lost, and the order is kept. `make worker-drill` runs it with ten thousand events.

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
        let directory = NSTemporaryDirectory() + "artifortress-rivals-\(UniqueID.random().hex)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await Engine.postgreSQL.withPlace(of: Template(migrated: Engine.postgreSQL.migrations)) { place in
            guard case .server(let address, _) = place else { return }
            let database = place.open()
            let settings = [
                "auth.bootstrapToken": "test-bootstrap",
                "database.url": try Shape.postgreSQLURL(database: address.database ?? ""), "database.poolSize": "4",
                "storage.url": "file:\(directory)/objects", "secrets.key": String(repeating: "5a", count: 32),
                "webhooks.allowPrivateAddresses": "true", "webhooks.timeoutSeconds": "3", "webhooks.retrySeconds": "1",
                "webhooks.maxAttempts": "100", "worker.pollSeconds": "1", "worker.batchSize": "20",
                "worker.searchJobLeaseSeconds": "30", "data": "\(directory)/data", "log.level": "warning",
            ]
            let server = ServerProcess(
                directory: directory,
                settings: settings.merging(["listen": "127.0.0.1:0", "roles": "api", "log.level": "error"]) { $1 })
            let audience = Audience(expecting: Self.events)
            do {
                try await Self.note(database)
                try await server.start()
                try await TestServer.with({ try await audience.hear($0) }) { url in
                    try await Self.run(server, WorkerPair(settings, directory), audience, at: url, database)
                }
            } catch {
                server.kill()
                await database.close()
                throw error
            }
            server.kill()
            await database.close()
        }
    }

    private static func run(
        _ server: ServerProcess, _ workers: WorkerPair, _ audience: Audience, at url: String, _ database: any Database
    ) async throws {
        defer { workers.killAll() }
        let token = try await server.token()
        for repo in Self.repos { try await server.createRepository(repo, token: token) }
        for name in Audience.listeners + ["hangs"] {
            let answer = try await server.post(
                "/v1/admin/webhooks", ["url": .string("\(url)/\(name)")], token: token)
            try #require(answer.status == 201, "\(answer.text)")
        }
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
        let isDone = try await eventually(within: .seconds(300)) {
            guard audience.hasHeardAll else { return false }
            let told = try await Self.effects("webhook", database).count
            let indexed = try await Self.effects("job", database).count
            return told >= Audience.listeners.count * Self.events && indexed >= Self.events
        }
        #expect(isDone, "heard \(audience.progress); \(workers.log)")
        for kind in ["event", "job", "document"] {
            let effects = try await Self.effects(kind, database)
            #expect(effects == Effects(count: Self.events, distinct: Self.events), "\(kind)")
        }
        let told = try await Self.effects("webhook", database)
        #expect(told == Effects(count: told.distinct, distinct: Audience.listeners.count * Self.events))
        for name in Audience.listeners { audience.check(name) }
        #expect(audience.hung > 0)
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
        (self.settings, self.directory) = (settings, directory)
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

/// Receivers: one that accepts everything, one that fails now and then, one that never answers.
private final class Audience: Sendable {
    static let listeners = ["steady", "flaky"]

    private struct Arrival {
        let repo: String
        let seq: Int64
        let event: String
    }

    private struct State {
        var arrivals: [String: [Arrival]] = [:]
        var accepted: [String: Set<String>] = [:]
        var hung = 0
    }

    private let expected: Int
    private let state = Mutex(State())

    init(expecting count: Int) { self.expected = count }

    /// Of the one that accepts everything.
    var count: Int { self.state.withLock { $0.arrivals["steady"]?.count ?? 0 } }
    var hung: Int { self.state.withLock { $0.hung } }
    var progress: [String: Int] { self.state.withLock { $0.accepted.mapValues(\.count) } }
    var hasHeardAll: Bool { Self.listeners.allSatisfy { self.progress[$0] == self.expected } }

    func hear(_ request: Request) async throws -> Response {
        let name = String(request.target.path.dropFirst())
        let body = try JSON(parsing: try await request.body.collect(upTo: 1 << 20))
        guard name != "hangs" else {
            self.state.withLock { $0.hung += 1 }
            try await Task.sleep(for: .seconds(600))  // longer than anybody waits
            return Response(200)
        }
        let arrival = Arrival(
            repo: body["data"]?["repoKey"]?.text ?? "", seq: body["seq"]?.integer ?? 0,
            event: body["eventId"]?.text ?? "")
        let isAccepted = self.state.withLock { state in
            state.arrivals[name, default: []].append(arrival)
            // Five times in all.
            let isFailure = name == "flaky" && state.arrivals[name, default: []].count % (self.expected / 5) == 3
            if !isFailure { state.accepted[name, default: []].insert(arrival.event) }
            return !isFailure
        }
        return Response(isAccepted ? 204 : 503)
    }

    /// Every number of every repository, in order when it first came, always under the same id.
    func check(_ name: String) {
        let arrivals = self.state.withLock { $0.arrivals[name] ?? [] }
        var all = 0
        for (repo, arrivals) in Dictionary(grouping: arrivals, by: \.repo) {
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
}
