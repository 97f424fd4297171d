// A PostgreSQL server of a test's own, to be stopped, killed and frozen. It needs PostgreSQL's programs (Debian:
// postgresql-15), and as root the user `postgres`, since the server refuses root.

import Domain
import Foundation
package import PostgreSQL

package final class PostgreSQLCluster {
    /// Where the programs are, the newest first; nil where there are none.
    package static let programs: String? = {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        let newest = versions.max { (Int($0) ?? 0) < (Int($1) ?? 0) }
        let path = newest.map { "/usr/lib/postgresql/\($0)/bin" }
        return path.flatMap { FileManager.default.isExecutableFile(atPath: "\($0)/initdb") ? $0 : nil }
    }()

    package let address: PostgreSQLAddress
    /// The directory of the server's Unix socket.
    package var socketDirectory: String { "\(self.directory)/s" }
    private let directory: String
    private let programs: String
    private var server: Process?

    /// Calls `body` with a running server, which is gone afterwards.
    package static func with(_ body: (PostgreSQLCluster) async throws -> Void) async throws {
        try await TemporaryDirectory.with { directory in
            let cluster = try PostgreSQLCluster(in: directory)
            try await cluster.start()
            do {
                try await body(cluster)
            } catch {
                try? await cluster.stop()
                throw error
            }
            try await cluster.stop()
        }
    }

    private init(in directory: String) throws {
        guard let programs = Self.programs else { throw CocoaError(.fileNoSuchFile) }
        self.directory = directory
        self.programs = programs
        self.address = try PostgreSQLAddress(parsing: "postgres://artifortress@/postgres?host=\(directory)/s")
        for name in ["d", "s"] {
            try FileManager.default.createDirectory(atPath: "\(directory)/\(name)", withIntermediateDirectories: false)
        }
        if getuid() == 0 { try Self.finish("/bin/chown", ["-R", "postgres:", directory]) }
        try self.finish(
            "initdb", ["-D", "\(directory)/d", "-U", "artifortress", "-A", "trust", "-E", "UTF8", "--no-sync"])
    }

    /// Runs until the server answers, also after a kill, when its orphans may still be there.
    package func start() async throws {
        let isUp = await eventually {
            if self.server?.isRunning != true {
                self.server = try? self.run(
                    "postgres",
                    ["-D", "\(self.directory)/d", "-k", "\(self.directory)/s", "-c", "listen_addresses="])
            }
            return (try? self.finish("pg_isready", ["-q", "-h", "\(self.directory)/s"])) != nil
        }
        if !isUp { throw CocoaError(.executableNotLoadable) }
    }

    /// Ends it properly: connections are closed.
    package func stop() async throws { await self.end(by: SIGINT) }

    /// Ends it without a word.
    package func kill() async { await self.end(by: SIGKILL) }

    private func end(by signal: Int32) async {
        guard let server = self.server, server.isRunning else { return }
        self.send(SIGCONT)
        Foundation.kill(server.processIdentifier, signal)
        _ = await eventually { !server.isRunning }
    }

    /// Keeps it from answering, with its connections open; `thaw` lets it go on.
    package func freeze() { self.send(SIGSTOP) }

    package func thaw() { self.send(SIGCONT) }

    /// To the server and all its children.
    private func send(_ signal: Int32) {
        guard let server = self.server, server.isRunning else { return }
        let pid = server.processIdentifier
        let children = (try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)) ?? ""
        for process in [pid] + children.split(separator: " ").compactMap({ Int32($0) }) {
            Foundation.kill(process, signal)
        }
    }

    private func run(_ program: String, _ arguments: [String]) throws -> Process {
        let (path, command) =
            getuid() == 0
            ? (
                "/usr/bin/setpriv",
                ["--reuid=postgres", "--regid=postgres", "--init-groups", "\(self.programs)/\(program)"] + arguments
            ) : ("\(self.programs)/\(program)", arguments)
        return try Self.run(path, command)
    }

    private static func run(_ path: String, _ arguments: [String]) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    private func finish(_ program: String, _ arguments: [String]) throws {
        try Self.succeeded(self.run(program, arguments))
    }

    private static func finish(_ path: String, _ arguments: [String]) throws {
        try self.succeeded(self.run(path, arguments))
    }

    private static func succeeded(_ process: Process) throws {
        process.waitUntilExit()
        if process.terminationStatus != 0 { throw CocoaError(.executableRuntimeMismatch) }
    }
}
