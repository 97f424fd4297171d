// Background work that hangs on events: the search index, and webhooks.

import API
import Domain
import HTTPClient
import Persistence
import Registry
import Settings
import Synchronization
import Telemetry
import Worker

extension Serving {
    var searchRoutes: [Route] {
        let controls = SearchControls(
            database: self.database, clock: self.clock, lease: self.configuration[.workerSearchJobLeaseSeconds])
        return SearchRoutes(searching: Searching(resolving: self.resolving, database: self.database)).routes
            + SearchAdministrationRoutes(rebuilding: self.searchRebuilding, controls: controls).routes
            + DeadLetterRoutes(
                letters: DeadLetters(
                    database: self.database, clock: self.clock,
                    maxAttempts: self.configuration[.workerSearchJobMaxAttempts])
            ).routes
    }

    var webhookRoutes: [Route] {
        let allowsAll = self.configuration[.webhooksAllowPrivateAddresses]
        return WebhookRoutes(
            webhooks: Webhooks(
                database: self.database, sealer: self.sealer, clock: self.clock,
                allowsHost: { allowsAll || PublicAddresses.mayBeNamed($0) })
        ).routes
    }

    private var sealer: SecretSealer { SecretSealer(key: self.deployment.secretsKey) }

    private var searchRebuilding: SearchRebuilding {
        SearchRebuilding(database: self.database, admission: self.admission, clock: self.clock)
    }

    // MARK: - Work

    var searchWork: SearchWork {
        let (batch, attempts) = (
            self.configuration[.workerBatchSize], self.configuration[.workerSearchJobMaxAttempts]
        )
        return SearchWork(
            relay: OutboxRelay(database: self.database, clock: self.clock, batch: batch, maxAttempts: attempts),
            indexing: SearchIndexing(
                database: self.database, clock: self.clock, batch: batch, maxAttempts: attempts,
                leaseSeconds: self.configuration[.workerSearchJobLeaseSeconds]),
            rebuilding: self.searchRebuilding, log: self.observation.log)
    }

    /// Outbox and jobs: at news, and from time to time.
    var searchService: any Service {
        let (work, report) = (self.searchWork, self.report)
        return Periodic(
            "search", every: self.pollInterval,
            wokenBy: [self.database.listen(EventLog.channel), self.database.listen(SearchJobStore.channel)],
            report: report, work: { try await work.drain() })
    }

    var webhookDelivery: WebhookDelivery {
        WebhookDelivery(
            queue: self.webhookQueue, client: Self.guardedClient(self.configuration),
            timeout: .seconds(self.configuration[.webhooksTimeoutSeconds]),
            limit: self.configuration[.webhooksConcurrency], interval: self.pollInterval,
            wakeUps: self.database.listen(EventLog.channel), report: self.report)
    }

    var webhookQueue: WebhookQueue {
        WebhookQueue(
            database: self.database, sealer: self.sealer, clock: self.clock,
            leaseSeconds: self.configuration[.webhooksTimeoutSeconds] + 5,
            maxAttempts: self.configuration[.webhooksMaxAttempts],
            backOff: BackOff(first: Int64(self.configuration[.webhooksRetrySeconds])),
            baseURL: self.ownURL)
    }

    /// For events without a request whose host could be used.
    private var ownURL: String {
        if let url = self.configuration[.publicURL] { return url.description }
        let scheme = self.configuration[.tlsCertificateFile] == nil ? "http" : "https"
        return "\(scheme)://\(self.configuration[.listen])"
    }

    var workerSweeps: [Sweep] {
        let (queue, days) = (self.webhookQueue, self.configuration[.eventRetentionDays])
        return [
            Sweep("webhook retention", every: .seconds(3600)) { try await queue.prune(olderThanDays: days) }
        ]
    }

    private var pollInterval: Duration { .seconds(self.configuration[.workerPollSeconds]) }

    /// For every URL that a user gives us: it reaches the public Internet only, unless the settings allow more.
    static func guardedClient(_ configuration: Configuration) -> HTTPClient {
        var client = HTTPClient.Configuration()
        if !configuration[.webhooksAllowPrivateAddresses] {
            client.allowsAddress = { address, _ in PublicAddresses.contains(address) }
        }
        return HTTPClient(client)
    }

    /// Counts what waits, for the metrics.
    var queueWatch: any Service {
        let (database, report) = (self.database, self.report)
        let attempts = self.configuration[.workerSearchJobMaxAttempts]
        let latest = LatestDepths()
        self.observation.metrics.gauges(
            "artifortress_queue_depth", "Work that waits, by queue.", labels: ["queue"]
        ) { latest.readings }
        return Periodic(
            "queue depths", every: .seconds(15), report: report,
            work: { latest.set(try await database.read { try QueueStore.depths(maxAttempts: attempts, $0) }) })
    }
}

/// What was counted last.
private final class LatestDepths: Sendable {
    private let depths = Mutex<QueueStore.Depths?>(nil)

    func set(_ depths: QueueStore.Depths) { self.depths.withLock { $0 = depths } }

    var readings: [Reading] {
        guard let depths = self.depths.withLock({ $0 }) else { return [] }
        return [
            Reading(["outbox"], Double(depths.outbox)), Reading(["search_jobs"], Double(depths.searchJobs)),
            Reading(["webhooks"], Double(depths.webhookDeliveries)),
            Reading(["dead_letters"], Double(depths.deadLetters)),
        ]
    }
}
