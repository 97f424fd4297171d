// What a policy's verdict does to a publish. Rules: HTTP contract, section 9, rows 5 and 21.

import API
import Domain
import HTTP
import Persistence
import Registry
import Synchronization
import TestSupport
import Testing

@testable import artifortress

/// A policy that a test has written.
private final class ScriptedGate: PublishGate {
    private struct State {
        var asked = 0
        var settled: [PublishVerdict] = []
        var recorded: [PublishVerdict] = []
    }

    private let state = Mutex(State())
    private let judge: @Sendable (PublishCandidate, _ time: Int) async throws -> PublishVerdict

    /// - Parameter judge: is told how often it was asked before.
    init(_ judge: @escaping @Sendable (PublishCandidate, _ time: Int) async throws -> PublishVerdict) {
        self.judge = judge
    }

    convenience init(_ decision: PublishVerdict.Decision) {
        self.init { _, _ in PublishVerdict(decision, contentRevision: nil) }
    }

    var asked: Int { self.state.withLock { $0.asked } }
    var settled: [PublishVerdict] { self.state.withLock { $0.settled } }
    var recorded: [PublishVerdict] { self.state.withLock { $0.recorded } }

    func verdict(on candidate: PublishCandidate) async throws -> PublishVerdict {
        let time = self.state.withLock { state in
            state.asked += 1
            return state.asked - 1
        }
        return try await self.judge(candidate, time)
    }

    func settle(
        _ verdict: PublishVerdict, on version: PackageVersion, at now: Timestamp, by caller: Caller,
        _ transaction: borrowing Transaction
    ) throws -> QuarantineID? {
        self.state.withLock { $0.settled.append(verdict) }
        return nil
    }

    func record(
        _ verdict: PublishVerdict, denying version: PackageVersion, isStored: Bool, at now: Timestamp,
        by caller: Caller,
        _ transaction: borrowing Transaction
    ) throws { self.state.withLock { $0.recorded.append(verdict) } }
}

@Suite struct PublishGateTests {
    private static func caller(_ server: Installation) throws -> Caller {
        Caller(
            tenant: server.deployment.defaultTenant, subject: try Subject(parsing: "tester"),
            scopes: [Scope(.admin, on: nil)], source: .pat, correlation: .random())
    }

    private static func publish(
        _ id: String, through gate: ScriptedGate, _ server: Installation
    ) async throws -> Publication {
        let publishing = Publishing(database: server.database, gate: gate, clock: server.serving.clock)
        let grant = try Self.caller(server).grant(.promote, on: RepoKey(parsing: "pkgs"))
        return try await publishing.publish(
            VersionID(#require(UniqueID(id))), under: grant, commit: Commit(server.database))
    }

    private static func release(
        _ ids: [String], through gate: ScriptedGate, _ server: Installation
    ) async throws -> PublishedRelease {
        let releasing = Releasing(database: server.database, gate: gate, clock: server.serving.clock)
        let set = try ReleaseSet(name: nil, versions: ids.map { VersionID(try #require(UniqueID($0))) })
        let plan = try await releasing.plan(set, for: Self.caller(server))
        return try await releasing.release(plan, commit: Commit(server.database))
    }

    private static func state(_ id: String, _ server: Installation, _ token: String) async throws -> JSON? {
        try await server.send("GET", "/v1/repos/pkgs/packages/versions/\(id)", token: token).json["state"]
    }

    private static func events(_ server: Installation, _ token: String) async throws -> [String] {
        let feed = try await server.send("GET", "/v1/repos/pkgs/events?wait=0", token: token)
        return try #require(feed.json["events"]?.elements).compactMap { $0["type"]?.text }
    }

    @Test(arguments: Engine.direct)
    func `a denied draft stays a draft, and the denial is on record`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.completeDraft("p", token: token)
            let gate = ScriptedGate(.deny(reason: "a license is missing"))
            let refusal = try await #require(throws: Refusal.self) {
                _ = try await Self.publish(id, through: gate, server)
            }
            #expect(refusal.reason == .policyDenied && refusal.reason.status == 409)
            #expect(refusal.details == [.init("reason", "a license is missing")])
            #expect(try await Self.state(id, server, token) == "draft")
            #expect(try await Self.events(server, token) == ["policy.denied"])
            #expect(try await server.count("outbox_events") == 0)
            let audit = try await server.audit(token, "action=policy.denied")
            #expect(audit.count == 1 && audit[0]["details"]?["reason"] == "a license is missing")
            #expect(gate.recorded.count == 1, "the evaluation is kept with its refusal")
            #expect(try await !Self.publish(id, through: ScriptedGate(.allow), server).isRepeated)
        }
    }

    @Test(arguments: Engine.direct)
    func `a quarantined version is published and hidden in one`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.completeDraft("p", token: token)
            let published = try await Self.publish(id, through: ScriptedGate(.quarantine(reason: "look")), server)
            #expect(published.quarantine != nil && published.event != nil)
            #expect(try await Self.state(id, server, token) == "published")
            let byName = try await server.send("GET", "/v1/repos/pkgs/packages/npm/p/versions/1.0.0", token: token)
            #expect(byName.status == 423)
            let file = "/v1/repos/pkgs/packages/npm/p/versions/1.0.0/files/file.bin"
            #expect(try await server.send("GET", file, token: token).status == 423)
            #expect(try await Self.events(server, token) == ["version.quarantined"], "the other waits for the release")
            let stored = try await server.database.lookup { transaction in
                try transaction.all("SELECT event_type FROM events ORDER BY seq", as: { try $0[0] as String })
            }
            #expect(stored == ["version.published", "version.quarantined"])
            #expect(try await Self.publish(id, through: ScriptedGate(.allow), server).isRepeated)
        }
    }

    @Test(arguments: Engine.direct)
    func `a verdict on other content is asked for again, three times in all`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let digest = try await server.commit([1], in: "pkgs")
            for (name, changes, isPublished) in [("none", 0, true), ("twice", 2, true), ("always", 9, false)] {
                let id = try await server.completeDraft(name, token: token)
                let version = VersionID(try #require(UniqueID(id)))
                // Judges what is there, and then somebody changes it.
                let gate = ScriptedGate { candidate, time in
                    let revision = try await server.database.lookup { transaction in
                        try VersionStore.find(version, of: candidate.grant.tenant, transaction)?.contentRevision
                    }
                    if time < changes {
                        let put = try await server.putEntry("f\(time)", digest, length: 1, of: id, token: token)
                        #expect(put.status == 200)
                    }
                    return PublishVerdict(.allow, contentRevision: revision)
                }
                if isPublished {
                    #expect(try await !Self.publish(id, through: gate, server).isRepeated)
                    #expect(gate.asked == changes + 1 && gate.settled.count == 1)
                } else {
                    let refusal = try await #require(throws: Refusal.self) {
                        _ = try await Self.publish(id, through: gate, server)
                    }
                    #expect(refusal.reason == .conflict && gate.asked == 3 && gate.settled.isEmpty)
                    #expect(try await Self.state(id, server, token) == "draft")
                }
            }
            #expect(try await Self.events(server, token) == ["version.published", "version.published"])
        }
    }

    @Test(arguments: Engine.direct)
    func `no verdict in time, or a fault of the policy, changes nothing`(engine: Engine) async throws {
        struct Broken: Error {}
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.completeDraft("p", token: token)
            let late = ScriptedGate { _, _ in throw Refusal(.policyTimeout, "late") }
            await #expect(throws: Refusal(.policyTimeout, "late")) {
                _ = try await Self.publish(id, through: late, server)
            }
            await #expect(throws: Broken.self) {
                _ = try await Self.publish(id, through: ScriptedGate { _, _ in throw Broken() }, server)
            }
            #expect(try await Self.state(id, server, token) == "draft")
            #expect(try await Self.events(server, token) == [])
        }
    }

    @Test(arguments: Engine.direct)
    func `a release asks for each version, and one denial stops all of it`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            var ids: [String] = []
            for number in 0..<10 { ids.append(try await server.completeDraft("p\(number)", token: token)) }
            let bad = ids[4]
            let gate = ScriptedGate { candidate, _ in
                guard case .draft(let id) = candidate.content, id.description == bad else { return .allowed }
                return PublishVerdict(.deny(reason: "no"), contentRevision: nil)
            }
            let refusal = try await #require(throws: Refusal.self) {
                _ = try await Self.release(ids, through: gate, server)
            }
            #expect(refusal.reason == .policyDenied && gate.asked == 10)
            let blocked = try #require(refusal.details.first { $0.name == "blocked" }?.value.elements)
            #expect(blocked.map { $0["versionId"]?.text } == [bad] && blocked[0]["error"] == "policy_denied")
            for id in ids { #expect(try await Self.state(id, server, token) == "draft") }
            #expect(try await server.audit(token, "action=policy.denied").map { $0["resourceId"]?.text } == [bad])

            let careful = ScriptedGate { candidate, _ in
                guard case .draft(let id) = candidate.content, id.description == bad else { return .allowed }
                return PublishVerdict(.quarantine(reason: "look"), contentRevision: nil)
            }
            let release = try await Self.release(ids, through: careful, server)
            #expect(release.versions.filter { $0.quarantineStatus == .quarantined }.map(\.id.description) == [bad])
            #expect(careful.settled.count == 10)
            for (number, id) in ids.enumerated() {
                let byName = try await server.send(
                    "GET", "/v1/repos/pkgs/packages/npm/p\(number)/versions/1.0.0", token: token)
                #expect(byName.status == (id == bad ? 423 : 200))
            }
        }
    }
}
