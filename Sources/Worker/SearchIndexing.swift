// From jobs to documents; and new words for documents that were indexed by older rules.

import Domain
package import Persistence
package import Threads

package struct SearchIndexing: Sendable {
    /// What one sweep has done, in jobs.
    package struct Sweep: Hashable, Sendable {
        package var claimed = 0
        package var completed = 0
        package var failed = 0

        package init(claimed: Int = 0, completed: Int = 0, failed: Int = 0) {
            self.claimed = claimed
            self.completed = completed
            self.failed = failed
        }
    }

    /// Jobs in one transaction: few, because on SQLite all other writers wait for them.
    private static let chunk = 20

    private let database: any Database
    private let clock: WallClock
    private let batch: Int
    private let maxAttempts: Int
    /// In seconds.
    private let leaseSeconds: Int64

    package init(database: any Database, clock: WallClock, batch: Int, maxAttempts: Int, leaseSeconds: Int) {
        self.database = database
        self.clock = clock
        self.batch = batch
        self.maxAttempts = maxAttempts
        self.leaseSeconds = Int64(leaseSeconds)
    }

    /// Works on what is due, at most a batch.
    package func sweep() async throws -> Sweep {
        let now = self.clock.now()
        let lease = Lease(from: now, seconds: self.leaseSeconds)
        let jobs = try await self.database.transaction { [batch, maxAttempts, leaseSeconds] in
            try SearchJobStore.claim(
                lease, staleSince: now + -leaseSeconds, maxAttempts: maxAttempts, at: now, limit: batch, $0)
        }
        var sweep = Sweep(claimed: jobs.count)
        for start in stride(from: 0, to: jobs.count, by: Self.chunk) {
            let chunk = Array(jobs[start..<min(start + Self.chunk, jobs.count)])
            do {
                try await self.index(chunk, under: lease, &sweep)
            } catch let fault as DatabaseFault where !fault.isOfTheDatabase {
                for job in chunk { try await self.indexAlone(job, under: lease, &sweep) }  // one of them is bad
            }
        }
        if jobs.count < self.batch { try await self.forget() }
        return sweep
    }

    /// Renews words that were made by older rules, at most for a batch of documents. A damaged index is left to a rebuild.
    ///
    /// - Returns: how many documents have new words.
    package func renew() async throws -> Int {
        var count = 0
        do {
            while count < self.batch {
                let limit = min(Self.chunk, self.batch - count)
                let renewed = try await self.database.transaction { try SearchIndexStore.renew(limit: limit, $0) }
                count += renewed
                if renewed < limit { break }
            }
        } catch DatabaseFault.other {}
        return count
    }

    fileprivate enum Outcome: Hashable { case completed, failed, lost }

    private func index(_ jobs: [SearchJob], under lease: Lease, _ sweep: inout Sweep) async throws {
        let outcomes = try await self.database.transaction { [now = self.clock.now()] transaction in
            var outcomes: [Outcome] = []
            for job in jobs { outcomes.append(try Self.index(job, under: lease, at: now, transaction)) }
            return outcomes
        }
        sweep.count(outcomes)
    }

    /// Job and document change together, and only for who still holds the job.
    private static func index(
        _ job: SearchJob, under lease: Lease, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> Outcome {
        guard let document = try SearchIndexStore.source(job.version, of: job.tenant, transaction) else {
            let isOurs = try SearchJobStore.fail(
                job, .versionNotPublished, retryAt: Self.retry(job, at: now), under: lease, at: now, transaction)
            return isOurs ? .failed : .lost
        }
        guard try SearchJobStore.complete(job, under: lease, at: now, transaction) else { return .lost }
        try SearchIndexStore.put(document, at: now, transaction)
        return .completed
    }

    /// Tells what of it fails, and records that.
    private func indexAlone(_ job: SearchJob, under lease: Lease, _ sweep: inout Sweep) async throws {
        var failure = SearchJobStore.Failure.readFailed
        do {
            _ = try await self.database.read { try SearchIndexStore.source(job.version, of: job.tenant, $0) }
            failure = .writeFailed
            try await self.index([job], under: lease, &sweep)
        } catch let fault as DatabaseFault where !fault.isOfTheDatabase {
            let isOurs = try await self.database.transaction { [now = self.clock.now(), failure] transaction in
                try SearchJobStore.fail(
                    job, failure, retryAt: Self.retry(job, at: now), under: lease, at: now, transaction)
            }
            sweep.count([isOurs ? .failed : .lost])
        }
    }

    private static func retry(_ job: SearchJob, at now: Timestamp) -> Timestamp {
        BackOff.standard.next(after: job.attempts + 1, at: now)
    }

    /// Words of documents that are gone. A damaged index is no reason to stop.
    private func forget() async throws {
        do {
            while try await self.database.transaction({ try SearchIndexStore.forget(limit: 200, $0) }) == 200 {}
        } catch DatabaseFault.other {}
    }
}

extension SearchIndexing.Sweep {
    fileprivate mutating func count(_ outcomes: [SearchIndexing.Outcome]) {
        self.completed += outcomes.count { $0 == .completed }
        self.failed += outcomes.count { $0 == .failed }
    }
}
