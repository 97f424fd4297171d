// Invariants I2 and I3 under everything at once: 64 clients publish the same versions, others, and overlapping release
// sets; some go away before they are answered, some ask twice; readers look all the time; and the server is killed amid
// it. What is judged: issue D.

import Domain
import Foundation
import HTTP
import Synchronization
import TestSupport
import Testing

@Suite struct PublishRaceTests {
    /// How often each race is run: `ARTIFORTRESS_TEST_RACE_ROUNDS` (make race), else once.
    private static let rounds: [UInt64] = {
        let text = ProcessInfo.processInfo.environment["ARTIFORTRESS_TEST_RACE_ROUNDS"] ?? ""
        return (0..<(UInt64(text) ?? 1)).map { $0 }
    }()

    @Test(arguments: Shape.available, rounds)
    func `versions are published whole and once, whoever races and wherever the server dies`(
        shape: Shape, round: UInt64
    ) async throws {
        try await shape.withServer { server in
            let race = try await PublishRace(server, seed: round)
            await withTaskGroup(of: Void.self) { group in
                for client in 0..<UInt64(64) { group.addTask { await race.run(client: client) } }
                for reader in 0..<UInt64(3) { group.addTask { await race.read(reader) } }
                group.addTask {
                    _ = await eventually { race.record.acknowledged.count >= PublishRace.killAfter }
                    server.kill()
                    race.record.end()
                }
            }
            #expect(race.record.faults == [], "what readers saw while it ran")
            try await server.start()
            try await race.check()
            // Then those that are left are published, by all at once, and nobody dies.
            race.record.begin()
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    await withTaskGroup(of: Void.self) { clients in
                        for client in 100..<UInt64(164) { clients.addTask { await race.run(client: client) } }
                    }
                    race.record.end()
                }
                for reader in 10..<UInt64(12) { group.addTask { await race.read(reader) } }
            }
            #expect(race.record.faults == [])
            try await race.check()
        }
    }
}

/// What clients were told, and what readers saw.
final class RaceRecord: Sendable {
    private struct State {
        var acknowledged: Set<String> = []
        var releases: [String: Set<String>] = [:]
        var faults: [String] = []
        var hasEnded = false
    }

    private let state = Mutex(State())

    /// Versions of which a client was told that they are published.
    var acknowledged: Set<String> { self.state.withLock(\.acknowledged) }
    /// Their versions, by release.
    var releases: [String: Set<String>] { self.state.withLock(\.releases) }
    var faults: [String] { self.state.withLock(\.faults) }
    var hasEnded: Bool { self.state.withLock(\.hasEnded) }

    func acknowledge(_ versions: some Sequence<String>) {
        self.state.withLock { $0.acknowledged.formUnion(versions) }
    }

    func acknowledge(release: String, of versions: Set<String>) {
        self.state.withLock { state in
            state.acknowledged.formUnion(versions)
            state.releases[release] = versions
        }
    }

    func note(fault: String) { self.state.withLock { $0.faults.append(fault) } }

    func begin() { self.state.withLock { $0.hasEnded = false } }

    func end() { self.state.withLock { $0.hasEnded = true } }
}
