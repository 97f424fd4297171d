// Wake-ups arrive after the commit, in this process and in others, and none is lost.

import Domain
import Persistence
import TestSupport
import Testing

extension Channel {
    fileprivate static let bell = Channel("test_bell")
    fileprivate static let other = Channel("test_other")
}

@Suite struct WakeUpTests {
    private static func took(_ wakeUps: WakeUps, upTo limit: Duration) async -> Duration {
        let start = ContinuousClock.now
        await wakeUps.wait(upTo: limit)
        return .now - start
    }

    /// Takes those that come with the subscription itself.
    private static func settle(_ wakeUps: WakeUps) async {
        while await self.took(wakeUps, upTo: .milliseconds(300)) < .milliseconds(300) {}
    }

    @Test(arguments: Engine.available)
    func `a commit wakes, once its rows are there; another subject sleeps on`(engine: Engine) async throws {
        try await engine.withSamples { database in
            let bell = database.listen(.bell)
            let other = database.listen(.other)
            await Self.settle(bell)
            await Self.settle(other)
            let sample = Sample("rung")
            async let committing: Void = database.transaction { transaction in
                try transaction.execute(sample.insert)
                transaction.notify(.bell)
            }
            let start = ContinuousClock.now
            var count = 0
            while count == 0, ContinuousClock.now - start < .seconds(120) {
                await bell.wait(upTo: .seconds(120))
                count = try await database.read { try Sample.count($0) }
            }
            try await committing
            #expect(count == 1 && ContinuousClock.now - start < .seconds(60))
            // A wake-up may come without need, as when a line is up again, but not each time.
            #expect(
                try await eventually {
                    try await database.transaction { $0.notify(.bell) }
                    return await Self.took(other, upTo: .milliseconds(200)) >= .milliseconds(200)
                })
        }
    }

    @Test(arguments: Engine.available)
    func `a transaction that fails wakes nobody`(engine: Engine) async throws {
        struct Refused: Error {}
        try await engine.withSamples { database in
            let bell = database.listen(.bell)
            await Self.settle(bell)
            #expect(
                await eventually {
                    await #expect(throws: Refused.self) {
                        try await database.transaction { transaction in
                            transaction.notify(.bell)
                            throw Refused()
                        }
                    }
                    return await Self.took(bell, upTo: .milliseconds(200)) >= .milliseconds(200)
                })
        }
    }

    @Test(arguments: Engine.available)
    func `what is rung before anybody waits is not lost, and a subscription begins with one`(
        engine: Engine
    ) async throws {
        try await engine.withSamples { database in
            let bell = database.listen(.bell)
            #expect(await Self.took(bell, upTo: .seconds(120)) < .seconds(60))
            await Self.settle(bell)
            for _ in 1...3 { try await database.transaction { $0.notify(.bell) } }
            #expect(await Self.took(bell, upTo: .seconds(120)) < .seconds(60))
        }
    }

    @Test(.enabled(if: Engine.available.contains(.postgreSQL)))
    func `another process is woken`() async throws {
        try await Engine.postgreSQL.withPlace(of: Template(migrated: [])) { place in
            let (ringing, listening) = (place.open(), place.open())
            let bell = listening.listen(.bell)
            await Self.settle(bell)
            for _ in 1...20 {
                try await ringing.transaction { $0.notify(.bell) }
                #expect(await Self.took(bell, upTo: .seconds(120)) < .seconds(60))
            }
            await ringing.close()
            await listening.close()
        }
    }

    @Test(.enabled(if: Engine.available.contains(.postgreSQL)))
    func `a listener whose connection is cut is woken when it listens again`() async throws {
        try await Engine.postgreSQL.withPlace(of: Template(migrated: [])) { place in
            let (ringing, listening) = (place.open(), place.open())
            let bell = listening.listen(.bell)
            await Self.settle(bell)
            _ = try await ringing.lookup { transaction in
                try transaction.all(
                    """
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%'
                    """, as: { try $0[0] as Bool })
            }
            #expect(await Self.took(bell, upTo: .seconds(120)) < .seconds(60))
            await Self.settle(bell)
            try await ringing.transaction { $0.notify(.bell) }
            #expect(await Self.took(bell, upTo: .seconds(120)) < .seconds(60))
            await ringing.close()
            await listening.close()
        }
    }

    @Test func `a cancelled wait ends at once, and takes no wake-up along`() async throws {
        try await Engine.sqlite.withSamples { database in
            let bell = database.listen(.bell)
            await Self.settle(bell)
            let waiting = Task { await bell.wait(upTo: .seconds(60)) }
            waiting.cancel()
            await waiting.value
            try await database.transaction { $0.notify(.bell) }
            #expect(await Self.took(bell, upTo: .seconds(120)) < .seconds(60))
        }
    }
}
