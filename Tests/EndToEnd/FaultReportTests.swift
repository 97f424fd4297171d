// Every fault in words, with the setting concerned; and nothing of Swift's own form of an error.

import Domain
import Foundation
import HTTPClient
import Persistence
import Policy
import SQLite
import Settings
import Storage
import TestSupport
import Testing

@testable import Cryptography
@testable import HTTP
@testable import artifortress

@Suite struct FaultReportTests {
    private static func report(_ settings: [(name: String, value: String)]) throws -> FaultReport {
        FaultReport(
            try Configuration.read(
                flags: settings.map { ($0.name, $0.value) }, environment: [:],
                surroundings: Surroundings(isTerminal: false, processors: 2)))
    }

    private static let databaseFaults: [(fault: DatabaseFault, words: [String])] = [
        (
            .unavailable("no route"),
            ["database.url = postgres://u:[REDACTED]@h/d (--database.url)", "does not answer: no route"]
        ),
        (.commitUnknown("cut"), ["database.url", "during a commit", "cut"]),
        (.full("53100"), ["database.url", "no disk space left", "free disk space"]),
        (.readOnly("r"), ["database.url", "is read-only", "target_session_attrs=read-write"]),
        (.accessDenied("p"), ["database.url", "denies access", "the role's rights"]),
        (.damaged("d"), ["database.url", "is damaged", "backup"]),
        (.contention("deadlock"), ["conflicted with others", "deadlock"]),
        (.statementTimeout("s"), ["longer than its limit"]),
        (.poolTimeout, ["database.poolSize = 16 (default)", "no database connection became free in time"]),
        (.duplicate(table: "blobs"), ["same key already exists", "table blobs"]),
        (.reference("r"), ["refers to another"]), (.immutable("i"), ["cannot be changed"]),
        (.unreadable("column 2"), ["cannot read: column 2"]), (.poisoned, ["an earlier statement"]),
        (.migration("V9"), ["database.url", "schema does not fit", "V9"]),
        (.other(code: "42601", "syntax error (SQLSTATE 42601)"), ["rejected a statement", "SQLSTATE 42601"]),
    ]

    private static let storageFaults: [(fault: StorageFault, words: [String])] = [
        (.missing("k"), ["missing from the store: k"]),
        (.accessDenied("x"), ["storage.url = s3://bucket/", "denies access", "storage.s3.accessKey"]),
        (.accessDenied("x", cause: .unknownKey), ["does not know the access key", "storage.s3.accessKey"]),
        (.accessDenied("x", cause: .wrongSecret), ["secret key is wrong", "storage.s3.secretKey"]),
        (.accessDenied("x", cause: .clockSkew), ["clock", "synchronize the clocks"]),
        (.unavailable("x"), ["storage.url", "does not answer as it should"]),
        (.unavailable("x", cause: .missingBucket), ["bucket does not exist", "create the bucket"]),
        (.unavailable("x", cause: .insecure), ["no trusted TLS connection", "storage.s3.caFile"]),
        (.unavailable("x", cause: .unknownHost), ["cannot be resolved"]),
        (.unavailable("x", cause: .refused), ["cannot be connected to"]),
        (.unavailable("x", cause: .timedOut), ["did not answer in time"]),
        (.full("x"), ["storage.url", "no space left", "free space"]), (.damaged("k"), ["is damaged: k"]),
        (.mismatch("k"), ["another checksum"]), (.invalidPart("p"), ["part of the upload"]),
        (.tooLarge, ["longer than announced"]),
        (.foreign("f"), ["storage.url", "does not belong to this installation: f"]),
        (.other("o"), ["storage.url", "cannot be used: o"]),
    ]

    private static let otherFaults: [(fault: any Error, words: [String])] = [
        (HTTPFault.disconnected, ["disconnected"]), (HTTPFault.bodyTooLarge, ["too large"]),
        (HTTPFault.cannotListen(errno: EADDRINUSE), ["cannot listen: Address already in use"]),
        (HTTPFault.cannotStart(reason: "bad key"), ["cannot start: bad key"]),
        (FileReader.Failure(errno: EIO), ["Input/output error"]), (FileReader.Failure(errno: 0), ["ended early"]),
        (HTTPClientFault.invalidRequest("u"), ["cannot be sent: u"]),
        (HTTPClientFault.unknownHost("h"), ["resolved: h"]),
        (HTTPClientFault.addressRefused("a"), ["not allowed: a"]),
        (HTTPClientFault.cannotConnect("c"), ["connection: c"]),
        (HTTPClientFault.insecure("t"), ["TLS connection: t"]), (HTTPClientFault.timedOut("t"), ["in time: t"]),
        (HTTPClientFault.connectionLost("l"), ["was lost: l"]),
        (HTTPClientFault.malformedAnswer("m"), ["valid HTTP: m"]),
        (HTTPClientFault.bodyTooLarge, ["too long"]), (HTTPClientFault.stopped, ["has stopped"]),
        (HTTPClientFault.other("o"), ["failed: o"]),
        (PolicyFault.timedOut, ["policy.evaluationTimeoutMs = 250 (default)", "no verdict in time"]),
        (PolicyFault.unreliable("r"), ["policy.http.url = none", "relied on: r"]),
        (SealedBox.Failure.forgedOrOtherKey, ["secrets.key (default)", "another key"]),
        (PublicKey.Failure.notPEM, ["PEM"]), (PublicKey.Failure.unreadable, ["cannot be read"]),
        (PublicKey.Failure.unsupported("dsa"), ["not supported: dsa"]),
        (Refusal.notFound("Version"), ["was not found"]),
        (CancellationError(), ["cancelled"]), (Unnamed(), ["unexpected error (Unnamed)"]),
        (CertificateFile.Unusable(description: "no certificate"), ["no certificate"]),
    ]

    private struct Unnamed: Error { let secret = "not to be shown" }

    @Test func `every fault is one line in words, and names its setting`() throws {
        let report = try Self.report([
            ("database.url", "postgres://u:secret@h/d"), ("storage.url", "s3://bucket/p"),
            ("storage.s3.access-key", "AKIA1"), ("storage.s3.secret-key", "hidden"),
        ])
        let all: [(any Error, [String])] =
            Self.databaseFaults.map { ($0.fault, $0.words) } + Self.storageFaults.map { ($0.fault, $0.words) }
            + Self.otherFaults.map { ($0.fault, $0.words) }
        for (fault, words) in all {
            let line = report.words(for: fault)
            for word in words { #expect(line.contains(word), "'\(word)' in \(line)") }
            #expect(!line.contains("\n") && !line.contains("secret@") && !line.contains("hidden"))
            // Swift's form: `name("…")`, `name(label: …)`.
            #expect(line.firstMatch(of: /[a-z]\((?:"|[a-z]+: )/) == nil, "\(line)")
            #expect(!line.contains("not to be shown"))
        }
    }

    @Test func `the table has every case`() {
        func kinds(_ faults: [some Error]) -> Set<String> {
            Set(faults.map { Mirror(reflecting: $0).children.first?.label ?? "none" })
        }
        #expect(kinds(Self.databaseFaults.map(\.fault)).count == 15)  // two cases have no text
        #expect(kinds(Self.storageFaults.map(\.fault)).count == 10)  // one case has no text
    }

    @Test func `faults of several lines are one line`() throws {
        let report = try Self.report([])
        let fault = DatabaseFault.unavailable("connection failed:\n\tIs the server\n  running?\n")
        #expect(report.words(for: fault).contains("does not answer: connection failed: Is the server running?;"))
    }

    /// Sources, each with its text.
    private static func sources() throws -> [(path: String, text: String)] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Sources")
        let paths = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
        return try paths.filter { $0.hasSuffix(".swift") }.map {
            ($0, try String(contentsOf: root.appendingPathComponent($0), encoding: .utf8))
        }
    }

    @Test func `every error type of the program has a description`() throws {
        let sources = try Self.sources()
        #expect(sources.count > 200)
        let described = sources.flatMap { source in
            source.text.matches(of: /extension\s+(\w+)\s*:\s*(?:Fault|CustomStringConvertible)\s*\{/).map {
                String($0.1)
            }
        }
        for (path, text) in sources {
            for match in text.matches(of: /(?:struct|enum|class)\s+(\w+)\s*:\s*([^{\n]*)\{/) {
                let conformances = match.2.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
                guard conformances.contains("Error"), !described.contains(String(match.1)) else { continue }
                #expect(conformances.contains("CustomStringConvertible"), "\(path): \(match.0)")
            }
            #expect(!text.contains("String(describing: error") && !text.contains("String(reflecting:"), "\(path)")
        }
    }
}
