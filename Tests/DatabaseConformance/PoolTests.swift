// Waiting for a connection: how long, and what is seen of it.

import Persistence
import TestSupport
import Testing

@Suite struct PoolTests {
    @Test(arguments: Engine.available)
    func `a caller gives up after its queueTimeout, or at once when cancelled`(engine: Engine) async throws {
        let options = Engine.Options {
            $0.connections = 1
            $0.queueTimeout = .milliseconds(150)
        }
        try await engine.withSamples(options) { database in
            #expect(await eventually { (try? await database.check()) != nil })
            let gate = Counter()
            let pool = engine == .sqlite ? "readers" : "connections"
            func now() -> PoolStatistics? { database.pools.first { $0.pool == pool } }
            let holding = Counter()
            async let holder: Void = database.read { _ in
                holding.increment(awaiting: 1, within: 0)
                gate.wait(for: 1)
            }
            #expect(await eventually { holding.value == 1 })
            #expect(now()?.busy == 1)

            let start = ContinuousClock.now
            await #expect(throws: DatabaseFault.poolTimeout) { try await database.read { _ in } }
            #expect(ContinuousClock.now - start >= .milliseconds(150))

            let waiting = Task { try await database.read { _ in } }
            #expect(await eventually { now()?.waiting ?? 0 > 0 })
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }

            gate.increment(awaiting: 1, within: 0)
            try await holder
            #expect(await eventually { now() == PoolStatistics(pool: pool, size: 1, busy: 0, waiting: 0) })
        }
    }

    @Test(arguments: Engine.available)
    func `a closed database refuses, and doesn't hang`(engine: Engine) async throws {
        try await engine.withSamples { database in
            await database.close()
            await #expect(throws: DatabaseFault.unavailable("the connection pool is closed")) {
                try await database.check()
            }
        }
    }

    @Test(arguments: Engine.available)
    func `each kind has its name`(engine: Engine) async throws {
        try await engine.withSamples { database in
            #expect(database.name == (engine == .sqlite ? "sqlite" : "postgres"))
            #expect(database.dialect == engine.dialect)
        }
    }
}
