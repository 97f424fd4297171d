// The real binary, started as a process on either shape, talked to over its socket, killed where a test wants it.

import Domain
import Foundation
package import Glibc
import PostgreSQL
import Synchronization

/// The two shapes that everything must do the same on.
package enum Shape: String, CaseIterable, Sendable, CustomStringConvertible {
    case embedded, production

    /// Production where PostgreSQL and an S3 store are in the environment.
    package static let available = allCases.filter {
        $0 == .embedded || Engine.postgreSQL.address != nil && S3Surroundings.current != nil
    }

    package var description: String { self.rawValue }

    /// Calls `body` with a started server of its own, on empty stores; nothing is left of it.
    package func withServer(
        _ settings: [String: String] = [:], proxyingDatabaseBy proxy: TCPProxy? = nil,
        _ body: @Sendable (ServerProcess) async throws -> Void
    ) async throws {
        let directory = NSTemporaryDirectory() + "artifortress-test-\(UniqueID.random().hex)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var all = [
            "data": "\(directory)/data", "listen": "127.0.0.1:0", "auth.bootstrapToken": "test-bootstrap",
            "database.poolSize": "6",
        ]
        switch self {
        case .embedded:
            all.merge(settings) { $1 }
            try await Self.run(ServerProcess(directory: directory, settings: all), body)
        case .production:
            guard let s3 = S3Surroundings.current else { return }
            let base = all
            try await Engine.postgreSQL.withPlace(of: Template(migrated: Engine.postgreSQL.migrations)) { place in
                guard case .server(let address, _) = place else { return }
                var all = base
                all["database.url"] = try Self.postgreSQLURL(database: address.database ?? "", port: proxy?.port)
                all["storage.url"] = s3.storageURL(prefix: UniqueID.random().hex)
                all["storage.s3.accessKey"] = s3.accessKey
                all["storage.s3.secretKey"] = s3.secretKey
                all.merge(settings) { $1 }
                try await Self.run(ServerProcess(directory: directory, settings: all), body)
            }
        }
    }

    package static func postgreSQLURL(database: String, port: UInt16? = nil) throws -> String {
        let text = ProcessInfo.processInfo.environment["ARTIFORTRESS_TEST_POSTGRES_URL"] ?? ""
        guard var components = URLComponents(string: text) else {
            throw WireFailure(description: "ARTIFORTRESS_TEST_POSTGRES_URL is no URL")
        }
        components.path = "/" + database
        if let port { components.port = Int(port) }
        return components.string ?? text
    }

    private static func run(
        _ server: ServerProcess, _ body: @Sendable (ServerProcess) async throws -> Void
    ) async throws {
        try await Gate.servers.pass {
            defer { server.kill() }
            try await server.start()
            try await body(server)
        }
    }
}

/// The S3 store that tests may use.
package struct S3Surroundings: Sendable {
    package let endpoint: String
    package let bucket: String
    package let region: String
    package let accessKey: String
    package let secretKey: String

    package static let current: S3Surroundings? = {
        let environment = ProcessInfo.processInfo.environment
        guard let endpoint = environment["ARTIFORTRESS_TEST_S3_ENDPOINT"],
            let bucket = environment["ARTIFORTRESS_TEST_S3_BUCKET"],
            let accessKey = environment["ARTIFORTRESS_TEST_S3_ACCESS_KEY"],
            let secretKey = environment["ARTIFORTRESS_TEST_S3_SECRET_KEY"]
        else { return nil }
        return S3Surroundings(
            endpoint: endpoint, bucket: bucket, region: environment["ARTIFORTRESS_TEST_S3_REGION"] ?? "us-east-1",
            accessKey: accessKey, secretKey: secretKey)
    }()

    package func storageURL(prefix: String) -> String {
        "s3://\(self.bucket)/\(prefix)?endpoint=\(self.endpoint)&region=\(self.region)&pathStyle=true"
    }
}

/// A server process, which can be killed and started again on the same stores.
package final class ServerProcess: Sendable {
    private struct State {
        var pid: pid_t = 0
        var port: UInt16 = 0
    }

    package let directory: String
    /// Of the command line, by key of the settings file.
    package let settings: [String: String]
    private let state = Mutex(State())

    package init(directory: String, settings: [String: String]) {
        self.directory = directory
        self.settings = settings
    }

    package var pid: pid_t { self.state.withLock(\.pid) }
    package var client: WireClient { WireClient(port: self.state.withLock(\.port)) }
    package var logFile: String { "\(self.directory)/server.log" }
    package var log: String { (try? String(contentsOfFile: self.logFile, encoding: .utf8)) ?? "" }

    /// Where `swift build` has put the binary: beside the tests' own.
    package static let binary: String = {
        if let path = ProcessInfo.processInfo.environment["ARTIFORTRESS_TEST_BINARY"] { return path }
        let executable = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let arguments = CommandLine.arguments
        let bundle = arguments.firstIndex(of: "--test-bundle-path").map { arguments[$0 + 1] } ?? executable
        return (bundle as NSString).deletingLastPathComponent + "/artifortress"
    }()

    /// Starts the process, and waits until it listens.
    package func start(verb: String = "serve") async throws {
        let log = unsafe Glibc.open(self.logFile, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        defer { close(log) }
        let known = self.log.count
        let words =
            [Self.binary, verb] + self.settings.sorted { $0.key < $1.key }.map { "--\(Self.flag($0.key))=\($0.value)" }
        let pid = try Self.spawn(words, output: log)
        self.state.withLock { $0.pid = pid }
        let hasStarted = try await eventually {
            guard self.isRunning else { throw WireFailure(description: "the server ended: \(self.log)") }
            let new = self.log.dropFirst(known)
            guard let line = new.split(separator: "\n").last(where: { $0.contains("listens on ") }),
                let port = line.split(separator: ":").last.flatMap({ UInt16($0.prefix { $0.isNumber }) })
            else { return false }
            self.state.withLock { $0.port = port }
            return true
        }
        guard hasStarted else { throw WireFailure(description: "the server did not start: \(self.log)") }
    }

    package var isRunning: Bool {
        let pid = self.pid
        guard pid > 0 else { return false }
        var status: Int32 = 0
        return unsafe waitpid(pid, &status, WNOHANG) == 0
    }

    /// kill -9.
    package func kill() {
        let pid = self.state.withLock { state in
            defer { state.pid = 0 }
            return state.pid
        }
        guard pid > 0 else { return }
        Glibc.kill(pid, SIGKILL)
        var status: Int32 = 0
        unsafe waitpid(pid, &status, 0)
    }

    /// SIGTERM, and the exit code when it has ended.
    package func stop() async throws -> Int32 {
        let pid = self.pid
        Glibc.kill(pid, SIGTERM)
        let ended = Mutex<Int32?>(nil)
        let hasEnded = await eventually {
            var status: Int32 = 0
            guard unsafe waitpid(pid, &status, WNOHANG) == pid else { return false }
            let code = status
            ended.withLock { $0 = (code & 0x7F) == 0 ? (code >> 8) & 0xFF : -(code & 0x7F) }
            return true
        }
        guard hasEnded else { throw WireFailure(description: "the server did not stop: \(self.log)") }
        self.state.withLock { $0.pid = 0 }
        return ended.withLock { $0 ?? -1 }
    }

    /// `auth.pat.maxTtlMinutes` as a flag is `auth.pat.max-ttl-minutes`.
    package static func flag(_ key: String) -> String {
        key.map { $0.isUppercase ? "-\($0.lowercased())" : String($0) }.joined()
    }

    private static func spawn(_ words: [String], output: Int32) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO)
        var pid: pid_t = 0
        var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
        defer { for index in unsafe arguments.indices { unsafe free(arguments[index]) } }
        let code = unsafe posix_spawn(&pid, words[0], &actions, nil, &arguments, environ)
        guard code == 0 else { throw WireFailure(description: "cannot start \(words[0]): errno \(code)") }
        return pid
    }
}
