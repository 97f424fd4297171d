// A start that fails ends the process: one line in words, exit code 1, nothing left running.

import Domain
import Foundation
import Glibc
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct StartFailureTests {
    /// Runs `serve` and expects it to end with one line that has each of `parts`.
    private func expectFailure(_ settings: [String: String], _ parts: [String]) async throws {
        let run = try await VerbProcess.run(["serve"] + VerbProcess.flags(settings))
        #expect(run.code == 1, "\(run.code) \(run.complaints)")
        let lines = run.complaints.split(separator: "\n").filter { $0.hasPrefix("artifortress serve: ") }
        #expect(lines.count == 1, "\(run.complaints)")
        for part in parts { #expect(lines.first?.contains(part) == true, "'\(part)' in \(run.complaints)") }
        // Swift's default form of an error has a case's name and a parenthesis.
        #expect(!run.complaints.contains("cannotListen(") && !run.complaints.contains("unavailable("))
    }

    private func settings(_ directory: String, _ further: [String: String] = [:]) -> [String: String] {
        ["data": "\(directory)/data", "listen": "127.0.0.1:0", "log.level": "error"].merging(further) { $1 }
    }

    @Test(arguments: ["listen", "metrics.listen"])
    func `a port that is taken`(setting: String) async throws {
        let taken = try TCPProxy(to: 1)
        try await TemporaryDirectory.with { directory in
            try await self.expectFailure(
                self.settings(directory, [setting: "127.0.0.1:\(taken.port)"]),
                ["\(setting) (--\(setting)): cannot listen on 127.0.0.1:\(taken.port)", "in use", "another port"])
            // Nothing is left: the same data directory can be used at once.
            let list = try await VerbProcess.run(["tenant", "list", "--data", "\(directory)/data"])
            #expect(list.code == 0, "\(list.complaints)")
        }
    }

    @Test(arguments: ["listen", "metrics.listen"])
    func `an address of another machine`(setting: String) async throws {
        try await TemporaryDirectory.with { directory in
            try await self.expectFailure(
                self.settings(directory, [setting: "192.0.2.1:8080", "allowInsecureHttp": "true"]),
                ["\(setting) (--\(setting)): cannot listen on 192.0.2.1:8080", "does not have that address"])
        }
    }

    @Test func `a file that is no database, and a database that is damaged`() async throws {
        try await TemporaryDirectory.with { directory in
            let data = "\(directory)/data"
            let made = try await VerbProcess.run(["tenant", "list", "--data", data])
            #expect(made.code == 0, "\(made.complaints)")
            let file = "\(data)/artifortress.db"
            let whole = try Data(contentsOf: URL(fileURLWithPath: file))
            // The header stays, every page behind the first is overwritten.
            let torn = whole.prefix(4096) + Data(repeating: 0x5A, count: max(0, whole.count - 4096))
            for bytes in [Data(repeating: 0x41, count: 20_000), torn] {
                try bytes.write(to: URL(fileURLWithPath: file))
                try await self.expectFailure(
                    self.settings(directory),
                    ["database.url = sqlite:\(file) (default): the database is damaged", "restore", "backup"])
            }
        }
    }

    @Test(.enabled(if: geteuid() == 0, "mounting a file system needs root"))
    func `a directory that cannot be written`() async throws {
        try await TemporaryDirectory.with { directory in
            let place = "\(directory)/mount"
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
            guard unsafe mount("tmpfs", place, "tmpfs", UInt(MS_RDONLY), "size=1m") == 0 else {
                return print("skipped: no file system can be mounted here")
            }
            defer { unsafe umount2(place, 2) }  // MNT_DETACH
            try await self.expectFailure(
                self.settings(place), ["data = \(place)/data (--data)", "Read-only file system", "'data'"])
            try await self.expectFailure(
                self.settings(directory, ["storage.url": "file:\(place)/blobs"]),
                ["storage.url = file:\(place)/blobs (--storage.url)", "Read-only file system"])
            try await self.expectFailure(
                self.settings(directory, ["database.url": "sqlite:\(place)/x.db"]),
                ["database.url = sqlite:\(place)/x.db (--database.url)"])
        }
    }

    @Test func `a database server that is not there, with the password hidden`() async throws {
        try await TemporaryDirectory.with { directory in
            try await self.expectFailure(
                self.settings(directory, ["database.url": "postgres://ann:s3cret@127.0.0.1:1/x"]),
                [
                    "database.url = postgres://ann:[REDACTED]@127.0.0.1:1/x (--database.url): the database does not answer",
                    "Connection refused", "check that the server runs",
                ])
        }
    }

    @Test func `a file of authorities that is missing or is none`() async throws {
        try await TemporaryDirectory.with { directory in
            try Data("no certificate".utf8).write(to: URL(fileURLWithPath: "\(directory)/empty.pem"))
            for setting in ["storage.s3.caFile", "policy.http.caFile"] {
                try await self.expectFailure(
                    self.settings(directory, [setting: "\(directory)/none.pem"]),
                    ["\(setting) = \(directory)/none.pem", "No such file", "PEM"])
                try await self.expectFailure(
                    self.settings(directory, [setting: "\(directory)/empty.pem"]),
                    ["\(setting) = \(directory)/empty.pem", "no certificate"])
            }
        }
    }
}
