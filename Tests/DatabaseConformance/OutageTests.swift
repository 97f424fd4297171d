// A PostgreSQL server that is stopped, killed or frozen: callers are told at once, and all is well when it is back.
// (Architecture, I7 and I8.)

import Domain
import Persistence
import PostgreSQL
import Synchronization
import TestSupport
import Testing

@Suite(.enabled(if: Engine.available.contains(.postgreSQL) && PostgreSQLCluster.programs != nil), .serialized)
struct OutageTests {
    private static func isUnavailable(_ error: any Error) -> Bool {
        if case .unavailable? = error as? DatabaseFault { true } else { false }
    }

    /// What a read ends with, and how long it takes.
    private static func look(_ database: any Database) async -> (error: (any Error)?, time: Duration) {
        let start = ContinuousClock.now
        do {
            try await database.check()
            return (nil, .now - start)
        } catch {
            return (error, .now - start)
        }
    }

    /// 200 reads, all refused; all but the probes, one a second, without trying.
    private static func expectRefusals(_ database: any Database) async {
        let start = ContinuousClock.now
        var tries = 0
        for _ in 0..<200 {
            let (error, _) = await self.look(database)
            guard case .unavailable(let text)? = error as? DatabaseFault else {
                Issue.record("\(String(describing: error))")
                return
            }
            if !text.contains("not tried again") { tries += 1 }
        }
        #expect(Double(tries) <= (ContinuousClock.now - start) / .seconds(1) + 4)
    }

    private static func comesBack(_ database: any Database) async -> Bool {
        await eventually { await self.look(database).error == nil }
    }

    @Test func `a stopped server is told at once; started again it is used again`() async throws {
        try await PostgreSQLCluster.with { cluster in
            let database = PostgreSQLDatabase(cluster.address, connections: 4)
            try await database.check()
            for round in 0..<2 {
                if round == 0 { try await cluster.stop() } else { await cluster.kill() }
                // Each of the connections may have to find out.
                #expect(await eventually { Self.isUnavailable(await Self.look(database).error ?? CancellationError()) })
                await Self.expectRefusals(database)
                try await cluster.start()
                #expect(await Self.comesBack(database))
                for _ in 0..<20 {
                    let (error, _) = await Self.look(database)
                    #expect(error == nil, "\(String(describing: error))")
                }
            }
            await database.close()
        }
    }

    @Test func `a server that isn't there at first is used when it comes`() async throws {
        try await PostgreSQLCluster.with { cluster in
            try await cluster.stop()
            let database = PostgreSQLDatabase(cluster.address, connections: 2)
            #expect(await Self.look(database).error.map(Self.isUnavailable) == true)
            await Self.expectRefusals(database)
            try await cluster.start()
            #expect(await Self.comesBack(database))
            await database.close()
        }
    }

    @Test func `a frozen server is given up, and then no longer waited for`() async throws {
        try await PostgreSQLCluster.with { cluster in
            var limits = Limits()
            limits.statement = 500
            let database = PostgreSQLDatabase(cluster.address, connections: 1, limits: limits)
            try await database.check()
            cluster.freeze()
            let (error, time) = await Self.look(database)
            #expect(error.map(Self.isUnavailable) == true && time < .seconds(60))
            await Self.expectRefusals(database)
            cluster.thaw()
            #expect(await Self.comesBack(database))
            await database.close()
        }
    }

    @Test func `a server killed amid writers has kept every acknowledged row`() async throws {
        try await PostgreSQLCluster.with { cluster in
            let database = PostgreSQLDatabase(cluster.address, connections: 8)
            try await Migrator.migrate(database, to: Sample.migrations(for: .postgreSQL))
            let ledger = Ledger()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        while !Task.isCancelled {
                            let sample = Sample("\(UniqueID.random())")
                            do {
                                _ = try await database.transaction { try $0.execute(sample.insert) }
                                ledger.acknowledged.withLock { _ = $0.insert(sample.id) }
                            } catch DatabaseFault.commitUnknown {
                                ledger.unknown.withLock { _ = $0.insert(sample.id) }
                            } catch DatabaseFault.unavailable {
                                await Task.yield()
                            } catch is CancellationError {
                                return
                            }
                        }
                    }
                }
                for round in 1...3 {
                    let target = ledger.count + 200
                    #expect(await eventually { ledger.count >= target })
                    if round == 2 { try await cluster.stop() } else { await cluster.kill() }
                    try await cluster.start()
                }
                let target = ledger.count + 200
                #expect(await eventually { ledger.count >= target })
                group.cancelAll()
                try await group.waitForAll()
            }
            let kept = try await database.read { transaction in
                Set(try transaction.all("SELECT sample_id FROM samples", as: { try $0[0] as UniqueID }))
            }
            let (acknowledged, unknown) = (ledger.acknowledged.withLock { $0 }, ledger.unknown.withLock { $0 })
            #expect(acknowledged.subtracting(kept) == [])
            #expect(kept.subtracting(acknowledged).isSubset(of: unknown))
            await database.close()
        }
    }
}

/// What writers were told.
private final class Ledger: Sendable {
    let acknowledged = Mutex<Set<UniqueID>>([])
    let unknown = Mutex<Set<UniqueID>>([])

    var count: Int { self.acknowledged.withLock { $0.count } }
}
