// A whole server without its sockets: every route over a database of its own.

import API
import Domain
import Foundation
import HTTP
import Persistence
import PostgreSQL
import Settings
import Synchronization
import TestSupport
import Testing
import Threads

@testable import artifortress

struct Installation: Sendable {
    let deployment: Deployment
    let serving: Serving
    let application: Application
    let settings: [String: String]

    static let bootstrap = "test-bootstrap"

    /// Calls `body` with an empty installation on that engine; nothing is left of it.
    static func with(
        _ engine: Engine, _ settings: [String: String] = [:], steadyClock: SteadyClock = .system,
        _ body: @Sendable (Installation) async throws -> Void
    ) async throws {
        try await TemporaryDirectory.with { directory in
            var all = [
                "data": "\(directory)/data", "auth.bootstrapToken": Self.bootstrap, "log.level": "error",
                // A machine that is busy with tests may take its time.
                "policy.evaluationTimeoutMs": "60000",
            ]
            all.merge(settings) { $1 }
            guard engine != .sqlite else { return try await self.run(all, steadyClock, body) }
            let base = all
            try await engine.withPlace(of: Template(migrated: engine.migrations)) { place in
                guard case .server(let address, _) = place else { return }
                var all = base
                all["database.url"] = try Shape.postgreSQLURL(database: address.database ?? "")
                all["database.poolSize"] = "4"
                if settings["storage.url"] == nil { all["storage.url"] = "file:\(directory)/data/objects" }
                try await self.run(all, steadyClock, body)
            }
        }
    }

    private static func run(
        _ settings: [String: String], _ steadyClock: SteadyClock,
        _ body: @Sendable (Installation) async throws -> Void
    ) async throws {
        let flags = settings.sorted { $0.key < $1.key }.map { (name: ServerProcess.flag($0.key), value: $0.value) }
        let configuration = try Configuration.read(
            flags: flags, environment: [:], surroundings: Surroundings(isTerminal: false, processors: 2))
        let deployment = try await Deployment.open(configuration, migrates: true)
        let serving = Serving(deployment, Observation(configuration), steadyClock: steadyClock)
        do {
            try await body(
                Installation(
                    deployment: deployment, serving: serving, application: serving.application, settings: settings))
        } catch {
            await deployment.close()
            throw error
        }
        await deployment.close()
    }

    var database: any Database { self.deployment.database }

    func send(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8] = [],
        from address: String = "192.0.2.1"
    ) async throws -> Answer {
        var all: Headers = ["Host": "artifacts.example"]
        for (name, value) in headers { all.append(name, value) }
        if method == "PUT", all["content-length"] == nil { all.append("Content-Length", String(body.count)) }
        return try await self.send(method, path, headers: all, body: RequestBody(body), from: address)
    }

    /// The answer is held against the API's description.
    func send(
        _ method: String, _ path: String, headers: Headers, body: RequestBody, from address: String = "192.0.2.1"
    ) async throws -> Answer {
        let target = try #require(Target(received: path))
        let answer = try await Answer(
            self.application.respond(
                to: Request(
                    method: method, target: target, headers: headers, remoteAddress: address, isSecure: false,
                    body: body)))
        if let segments = target.segments,
            case .found(let route, _) = self.application.router.match(method, segments), method != "HEAD"
        {
            let problem = try AnswerCheck().problem(of: answer, by: "\(route.method) \(route.pattern)")
            #expect(problem == nil, "unlike docs/openapi.yaml: \(answer.text.prefix(500))")
        }
        return answer
    }

    func send(
        _ method: String, _ path: String, token: String?, key: String? = nil, _ body: JSON? = nil,
        headers: [(String, String)] = []
    ) async throws -> Answer {
        var all = headers
        if let token { all.append(("Authorization", "Bearer \(token)")) }
        if let key { all.append(("Idempotency-Key", key)) }
        if body != nil { all.append(("Content-Type", "application/json")) }
        return try await self.send(method, path, headers: all, body: body?.bytes ?? [])
    }

    /// A token of the default tenant.
    func token(_ scopes: [String] = ["repo:*:admin"], subject: String = "tester") async throws -> String {
        let answer = try await self.send(
            "POST", "/v1/auth/pats",
            headers: [("X-Bootstrap-Token", Self.bootstrap), ("Content-Type", "application/json")],
            body: JSON.object([
                .init("subject", .string(subject)), .init("ttlMinutes", 60), .init("scopes", JSON(scopes)),
            ]).bytes)
        return try #require(answer.json["token"]?.text, "\(answer.status) \(answer.text)")
    }

    /// The audit log, the newest rows first.
    func audit(_ token: String, _ query: String = "limit=500") async throws -> [JSON] {
        let answer = try await self.send("GET", "/v1/audit?\(query)", token: token)
        return try #require(answer.json.elements, "\(answer.status) \(answer.text)")
    }

    func count(_ table: SQL) async throws -> Int {
        try await self.database.lookup { try $0.first("SELECT COUNT(*) FROM \(table)", as: { try $0[0] as Int }) } ?? 0
    }
}

/// What came back.
struct Answer: Sendable {
    let status: Int
    let headers: Headers
    let body: [UInt8]

    init(_ response: Response) async throws {
        self.status = response.status
        self.headers = response.headers
        switch response.body {
        case .bytes(let bytes): self.body = bytes
        case .file(let region):
            let reader = FileReader(region)
            var bytes: [UInt8] = []
            while let chunk = try reader.next() { bytes += chunk }
            self.body = bytes
        case .stream(_, let write):
            let sink = Sink()
            try await write(BodyWriter(sink))
            self.body = sink.bytes
        }
    }

    var text: String { String(decoding: self.body, as: UTF8.self) }

    /// Null where the body is no JSON.
    var json: JSON { (try? JSON(parsing: self.body)) ?? .null }

    var error: String? { self.json["error"]?.text }
}

private final class Sink: BodySink {
    private let all = Mutex<[UInt8]>([])

    var bytes: [UInt8] { self.all.withLock { $0 } }

    func send(_ chunk: [UInt8]) async throws { self.all.withLock { $0 += chunk } }
}
