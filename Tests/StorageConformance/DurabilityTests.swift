// The order of system calls that makes a write durable. Rules: architecture, I7.

import Domain
import Filesystem
import Foundation
import HTTP
import Storage
import Synchronization
import TestSupport
import Testing

/// What is done under the trace: these run in a process of their own, which the suite below starts.
@Suite(.enabled(if: SystemCallTrace.directory != nil, "run by DurabilityTests"))
struct TracedWrites {
    private func storage() throws -> FilesystemStorage {
        try FilesystemStorage(root: SystemCallTrace.directory ?? "", installation: .random(), threads: 2)
    }

    @Test func `puts an object`() async throws {
        try await self.storage().put(Pattern.bytes(500_000), .test("3fa0"))
    }

    @Test func `uploads two parts`() async throws {
        let storage = try self.storage()
        let upload = try await storage.beginMultipart(.test("3fa0"))
        var parts: [StoredPart] = []
        for number in 1...2 {
            let body = RequestBody(Pattern.bytes(300_000))
            parts.append(try await storage.putPart(number, of: upload, body, limit: .max))
        }
        try await storage.complete(upload, parts)
    }
}

@Suite(.enabled(if: SystemCallTrace.isPossible, "strace isn't there, or may not trace"))
struct DurabilityTests {
    private let object = "objects/staging/test/+3f/3fa0"

    @Test func `an object is synced, then named, then its name synced`() async throws {
        let calls = try await SystemCallTrace.of("puts an object")
        try self.expect(
            calls,
            [
                "write \(object)~", "fsync \(object)~", "rename \(object)~ \(object)", "fsync objects/staging/test/+3f",
                "fsync objects/staging/test", "fsync objects/staging", "fsync objects",
            ])
        let (lastWrite, sync) = (
            calls.lastIndex { $0.hasPrefix("write objects") }, calls.firstIndex(of: "fsync \(object)~")
        )
        #expect(try #require(lastWrite) < #require(sync))
        #expect(calls.filter { $0 == "fsync \(object)~" }.count == 1)
    }

    @Test func `a part is synced, then linked; the object is named before its parts go`() async throws {
        let parts = "\(object)~parts"
        try self.expect(
            try await SystemCallTrace.of("uploads two parts"),
            [
                "write \(parts)/data", "fsync \(parts)/data", "rename \(parts)/link \(parts)/00001",
                "fsync \(parts)/data", "rename \(parts)/link \(parts)/00002", "fsync \(parts)/whole",
                "rename \(parts)/whole \(object)", "fsync objects/staging/test/+3f", "rename \(parts) \(object)~gone",
            ])
    }

    /// Whether the calls have these among them, in this order.
    private func expect(_ calls: [String], _ order: [String]) throws {
        var rest = calls[...]
        for step in order {
            let place = try #require(rest.firstIndex(of: step), "no \(step) in its place: \(calls)")
            rest = rest[(place + 1)...]
        }
    }
}

/// strace on a test of `TracedWrites`.
enum SystemCallTrace {
    private static let variable = "ARTIFORTRESS_TEST_TRACED"

    /// Where the traced process writes; nil in any other.
    static let directory = ProcessInfo.processInfo.environment[variable]

    static let isPossible: Bool = {
        guard directory == nil else { return false }
        return (try? run(["strace", "-qq", "-e", "trace=none", "true"])) == 0
    }()

    private static func run(_ arguments: [String], directory: String = "") throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging([variable: directory]) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// The calls on files while the test of that name runs: `fsync PATH`, `write PATH`, `rename OLD NEW`, by paths
    /// relative to the storage, without the random ends of names.
    static func of(_ test: String) async throws -> [String] {
        try await TemporaryDirectory.with { path in
            let output = "\(path)/trace"
            let status = try self.run(
                [
                    "strace", "-f", "-y", "-e", "trace=write,fsync,rename,renameat2", "-o", output,
                    CommandLine.arguments[0],
                    "--testing-library", "swift-testing", "--filter", "TracedWrites.*\(test)",
                ], directory: "\(path)/storage")
            try #require(status == 0)
            return try String(contentsOfFile: output, encoding: .utf8).split(separator: "\n").compactMap { line in
                self.call(String(line), "\(path)/storage")
            }
        }
    }

    private static func call(_ line: String, _ root: String) -> String? {
        let names = ["write", "fsync", "rename", "renameat2"]
        guard line.contains(root), var name = names.first(where: { line.contains(" \($0)(") }) else { return nil }
        if name == "renameat2" { name = "rename" }
        // `-y` writes a descriptor's path in angle brackets; rename has its two in quotes.
        let ends: (Character, Character) = name == "rename" ? ("\"", "\"") : ("<", ">")
        var paths: [String] = []
        var rest = line[...]
        while let start = rest.firstIndex(of: ends.0) {
            let after = rest[rest.index(after: start)...]
            guard let end = after.firstIndex(of: ends.1) else { break }
            paths.append(String(after[..<end]))
            rest = after[after.index(after: end)...]
        }
        let ours = paths.filter { $0.hasPrefix(root) }.map { path in
            let relative = path.dropFirst(root.count + 1)
            let parts = relative.split(separator: "/").map { part in
                ["data.", "link.", "whole."].contains { part.hasPrefix($0) } ? part.prefix { $0 != "." } : part
            }
            return parts.joined(separator: "/")
        }
        return ours.isEmpty ? nil : "\(name) \(ours.joined(separator: " "))"
    }
}
