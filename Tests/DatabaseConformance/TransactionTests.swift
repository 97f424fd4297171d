// What a transaction promises: all or nothing, whoever else is there.

import Domain
import Foundation
import Persistence
import Synchronization
import TestSupport
import Testing

@Suite struct TransactionTests {
    @Test(arguments: Engine.available)
    func `a thrown error undoes the transaction`(engine: Engine) async throws {
        struct Refused: Error {}
        try await engine.withSamples { database in
            let sample = Sample("undone")
            await #expect(throws: Refused.self) {
                try await database.transaction { transaction in
                    try transaction.execute(sample.insert)
                    throw Refused()
                }
            }
            let left = try await database.read { try Sample.first(sample.id, $0) }
            #expect(left == nil)
        }
    }

    @Test(arguments: Engine.available)
    func `a swallowed fault still undoes the transaction`(engine: Engine) async throws {
        try await engine.withSamples { database in
            let sample = Sample("once")
            await #expect(throws: DatabaseFault.self) {
                try await database.transaction { transaction in
                    try transaction.execute(sample.insert)
                    _ = try? transaction.execute(sample.insert)
                }
            }
            let left = try await database.read { try Sample.first(sample.id, $0) }
            #expect(left == nil)
        }
    }

    @Test(arguments: Engine.available)
    func `rival workers claim each job once`(engine: Engine) async throws {
        try await engine.withSamples { database in
            let now = Timestamp(microseconds: 1_700_000_000_000_000)
            let ids = (0..<200).map { _ in UniqueID.random() }
            _ = try await database.transaction { transaction in
                try transaction.execute(each: ids) {
                    "INSERT INTO jobs (job_id, status, available_at) VALUES (\($0), 'pending', \(now))"
                }
            }
            let claimed = try await withThrowingTaskGroup(of: [UniqueID].self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        var mine: [UniqueID] = []
                        while true {
                            let batch = try await database.transaction { transaction in
                                try transaction.all(
                                    """
                                    UPDATE jobs SET status = 'processing', attempts = attempts + 1
                                    WHERE job_id IN (SELECT job_id FROM jobs
                                        WHERE status = 'pending' AND available_at <= \(now)
                                        ORDER BY available_at, job_id LIMIT \(7) \(.forUpdateSkipLocked))
                                    RETURNING job_id
                                    """, as: { try $0[0] as UniqueID })
                            }
                            if batch.isEmpty { return mine }
                            mine += batch
                        }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(claimed.count == 200 && Set(claimed) == Set(ids))
        }
    }

    @Test(arguments: Engine.available)
    func `rival increments under a row lock are all kept`(engine: Engine) async throws {
        try await engine.withSamples { database in
            var sample = Sample("counter")
            sample.count = 0
            let first = sample
            _ = try await database.transaction { try $0.execute(first.insert) }
            try await withThrowingTaskGroup { group in
                for _ in 0..<16 {
                    group.addTask {
                        for _ in 0..<10 {
                            try await database.transaction { transaction in
                                let count = try transaction.first(
                                    "SELECT count FROM samples WHERE sample_id = \(first.id) \(.forUpdate)",
                                    as: { try $0[0] as Int64 })
                                try transaction.execute(
                                    "UPDATE samples SET count = \(count! + 1) WHERE sample_id = \(first.id)")
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await database.read { try Sample.first(first.id, $0) }?.count == 160)
        }
    }

    @Test(arguments: Engine.available)
    func `locks taken in opposite orders end with both done`(engine: Engine) async throws {
        try await engine.withSamples { database in
            let samples = [Sample("a"), Sample("b")]
            let holders = Counter()
            _ = try await database.transaction { try $0.execute(each: samples) { $0.insert } }
            try await withThrowingTaskGroup { group in
                for order in [samples, samples.reversed()] {
                    group.addTask {
                        try await database.transaction { transaction in
                            for (index, sample) in order.enumerated() {
                                try transaction.execute(
                                    "UPDATE samples SET small = 1 WHERE sample_id = \(sample.id)")
                                // Each waits for the other's first lock. (SQLite's one writer waits in vain.)
                                if index == 0 { holders.increment(awaiting: 2, within: 0.2) }
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test(arguments: Engine.available)
    func `a snapshot doesn't see what is committed after it began`(engine: Engine) async throws {
        try await engine.withSamples { database in
            let began = Counter()
            let written = Counter()
            async let counts = database.read { transaction in
                let before = try Sample.count(transaction)
                began.increment(awaiting: 1, within: 0)
                written.wait(for: 1)
                return [before, try Sample.count(transaction)]
            }
            #expect(await eventually { began.value == 1 })
            let sample = Sample("later")
            _ = try await database.transaction { try $0.execute(sample.insert) }
            written.increment(awaiting: 1, within: 0)
            let seen = try await counts
            #expect(seen == [0, 0])
            #expect(try await database.read { try Sample.count($0) } == 1)
        }
    }
}

/// What blocking bodies on several threads wait for each other by.
final class Counter: Sendable {
    private let count = Mutex(0)
    private let changed = NSCondition()

    var value: Int { self.count.withLock { $0 } }

    func increment(awaiting target: Int, within limit: TimeInterval) {
        self.changed.lock()
        self.count.withLock { $0 += 1 }
        self.changed.broadcast()
        self.changed.unlock()
        self.wait(for: target, within: limit)
    }

    /// - Parameter limit: in seconds.
    func wait(for target: Int, within limit: TimeInterval = 60) {
        let end = Date(timeIntervalSinceNow: limit)
        self.changed.lock()
        defer { self.changed.unlock() }
        while self.value < target, self.changed.wait(until: end) {}
    }
}
