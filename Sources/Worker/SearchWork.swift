// Outbox and search jobs, as the worker does them: one sweep of each, repeated while there is work.

import Domain
package import Registry
package import Telemetry

package struct SearchWork: Sendable {
    private let relay: OutboxRelay
    private let indexing: SearchIndexing
    private let rebuilding: SearchRebuilding
    private let log: Log

    package init(relay: OutboxRelay, indexing: SearchIndexing, rebuilding: SearchRebuilding, log: Log) {
        self.relay = relay
        self.indexing = indexing
        self.rebuilding = rebuilding
        self.log = log
    }

    /// One outbox sweep, then one job sweep. What one of them throws does not keep the other from running.
    ///
    /// - Returns: how much there was to do.
    @discardableResult
    package func once(tellsAlways: Bool = true) async throws -> Int {
        let requested = try await self.told("worker_rebuild") { try await self.rebuilding.advance() } ?? 0
        let events = try await self.told("worker_search_sweep") { try await self.relay.sweep() } ?? OutboxRelay.Sweep()
        if tellsAlways || events.claimed > 0 {
            self.log.info(
                "worker_search_sweep_utc",
                [
                    "claimed": JSON(events.claimed), "enqueued": JSON(events.enqueued),
                    "delivered": JSON(events.delivered), "requeued": JSON(events.requeued),
                ])
        }
        let jobs = try await self.told("worker_job_sweep") { try await self.indexing.sweep() } ?? SearchIndexing.Sweep()
        if tellsAlways || jobs.claimed > 0 {
            self.log.info(
                "worker_job_sweep_utc",
                [
                    "claimed": JSON(jobs.claimed), "completed": JSON(jobs.completed), "failed": JSON(jobs.failed),
                ])
        }
        let renewed = try await self.told("worker_search_renewal") { try await self.indexing.renew() } ?? 0
        if renewed > 0 { self.log.info("worker_search_renewal_utc", ["renewed": JSON(renewed)]) }
        return requested + events.claimed + jobs.claimed + renewed
    }

    /// Works until nothing is left.
    package func drain() async throws {
        while !Task.isCancelled, try await self.once(tellsAlways: false) > 0 {}
    }

    private func told<Value: Sendable>(
        _ name: String, _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value? {
        do {
            // What is claimed is finished, also when the process is about to end.
            return try await Task { try await work() }.value
        } catch {
            self.log.error("\(name)_error_utc", ["fault": .string(self.log.words(error))])
            return nil
        }
    }
}
