// What the process tells about itself: the log, the metrics, and who may read them. Source: architecture, section 3
// (Telemetry); the route `/metrics` is for monitoring and has rules of its own.

import API
import Cryptography
import Domain
import Glibc
import HTTP
import HTTPServer
import Identity
import Persistence
import Policy
import Registry
import Settings
import Synchronization
import Telemetry

struct Observation: Sendable {
    let log: Log
    let metrics = Metrics()
    /// Of the HTTP listeners for users.
    let statistics = Server.Statistics()
    private let requests: RequestMetrics
    private let downloadFailures: LabeledFamily<Counter>
    private let unknownObjects: LabeledFamily<Counter>
    private let policyVerdicts: LabeledFamily<Counter>
    private let rejections: LabeledFamily<Counter>
    /// Between two log lines about connections that were turned away.
    private let turnedAway = LogInterval(.seconds(60))

    init(_ configuration: Configuration) {
        self.log = Log(
            level: Log.Level(rawValue: configuration[.logLevel].rawValue) ?? .info,
            format: configuration[.logFormat] == .json ? .json : .text,
            words: { FaultReport(configuration).words(for: $0) })
        let statistics = self.statistics
        self.requests = RequestMetrics(in: self.metrics) {
            RequestMetrics.Traffic(
                bytesIn: statistics.bytesIn, bytesOut: statistics.bytesOut,
                openConnections: statistics.openConnections, requestsInFlight: statistics.requestsInFlight)
        }
        self.downloadFailures = self.metrics.counters(
            "artifortress_download_failures_total",
            "Downloads whose stored bytes were missing or not what they should be, by cause.", labels: ["cause"])
        self.unknownObjects = self.metrics.counters(
            "artifortress_storage_unknown_objects_total", "Stored objects that no row knew and that were swept.")
        self.policyVerdicts = self.metrics.counters(
            "artifortress_policy_verdicts_total",
            "What the policy said where there was something to ask; 'none' where it gave no verdict.",
            labels: ["action", "verdict"])
        self.rejections = self.metrics.counters(
            "artifortress_http_rejections_total", "Requests that the server answered itself, by status.",
            labels: ["status"])
        self.metrics.counter(
            "artifortress_http_connections_evicted_total", "Idle connections that were closed to make room for others."
        ) { Double(statistics.evictions) }
        self.metrics.counter(
            "artifortress_http_connections_turned_away_total",
            "Connections that were closed at once, because their client's address had too many."
        ) { Double(statistics.turnedAway) }
        ProcessMetrics.register(in: self.metrics, version: VersionVerb.version)
        let log = self.log
        self.metrics.counter("artifortress_log_dropped_lines_total", "Log lines that could not be written.") {
            Double(log.dropped)
        }
    }

    /// Logs a warning for each setting that was given a value although nothing in this build uses it.
    func warnOfIneffectiveSettings(in configuration: Configuration) {
        for (name, source, feature) in configuration.ineffective {
            self.log.warning(
                "the setting \(name) has no effect: it needs \(feature), which this build does not include",
                ["source": .string(source.description)])
        }
    }

    /// Use of the database's connections.
    func watch(_ database: any Database) {
        let states: [(String, @Sendable (PoolStatistics) -> Int)] = [
            ("artifortress_database_connections", { $0.size }), ("artifortress_database_connections_busy", { $0.busy }),
            ("artifortress_database_callers_waiting", { $0.waiting }),
        ]
        for (name, read) in states {
            self.metrics.gauges(name, "Of a pool of database connections, by pool.", labels: ["pool"]) {
                database.pools.map { Reading([$0.pool], Double(read($0))) }
            }
        }
    }

    /// Every request is counted; changes and failures are logged, downloads only at the level `debug`.
    func record(_ outcome: Outcome) {
        let request = outcome.request
        self.requests.record(
            route: outcome.route, method: request.method, status: outcome.status, duration: outcome.duration)
        let level: Log.Level =
            if outcome.fault != nil || outcome.status >= 500 {
                .error
            } else {
                request.method == "GET" || request.method == "HEAD" ? .debug : .info
            }
        guard self.log.isOn(level) else { return }
        var fields: [JSON.Member] = [
            .init("method", .string(request.method)), .init("path", .string(request.target.path)),
            .init("status", JSON(outcome.status)),
            .init("milliseconds", JSON(Int(outcome.duration / .milliseconds(1)))),
            .init("client", .string(request.remoteAddress)),
        ]
        if let subject = request.clientSubject { fields.append(.init("clientCertificate", .string(subject))) }
        if let fault = outcome.fault { fields.append(.init("fault", .string(self.log.words(fault)))) }
        self.log.write(level, "request", fields, correlation: outcome.correlation)
    }

    /// Raises the limit of open files, and warns if connections could reach it.
    func checkDescriptorLimit(for configuration: Configuration) {
        let connections = configuration[.httpMaxConnections]
        // Besides connections: the database, stored files that are sent, uploads.
        guard let limit = DescriptorLimit.raise(), limit < 2 * connections + 256 else { return }
        self.log.warning(
            "the limit of open files (ulimit -n) is low for http.maxConnections",
            ["limit": JSON(limit), "http.maxConnections": JSON(connections)])
    }

    /// Counts and logs what the HTTP server does without a handler. Connections that are turned away come in floods: one
    /// a minute is logged.
    func record(_ event: Server.Event) {
        switch event {
        case .rejected(let status, let message, let remoteAddress, let correlation):
            self.rejections.with(String(status)).add()
            self.log.write(
                status >= 500 && status != 501 && status != 505 ? .error : .info, "request rejected",
                [
                    .init("status", JSON(status)), .init("reason", .string(message)),
                    .init("client", .string(remoteAddress)),
                ], correlation: correlation.flatMap { UniqueID($0) })
        case .turnedAway(let remoteAddress, let connections):
            guard self.turnedAway.isOver() else { return }
            self.log.write(
                .warning, "connection turned away",
                [
                    .init("client", .string(remoteAddress)), .init("connections", JSON(connections)),
                    .init("setting", .string("http.maxConnectionsPerAddress")),
                ], correlation: nil)
        }
    }

    /// Damaged bytes are counted and logged at once: they were never sent as if they were whole.
    func record(_ failure: DownloadFailure) {
        self.downloadFailures.with(failure.cause.rawValue).add()
        self.log.write(
            .error, "download failed",
            [
                .init("cause", .string(failure.cause.rawValue)), .init("digest", .string(failure.digest.hex)),
                .init("storageKey", .string(failure.storageKey.text)),
                .init("fault", .string(self.log.words(failure.fault))),
            ], correlation: failure.correlation)
    }

    /// Without a verdict nothing is published, so the operator is informed at once.
    func record(_ outcome: PolicyOutcome) {
        switch outcome {
        case .verdict(let action, let decision): self.policyVerdicts.with(action.rawValue, decision.rawValue).add()
        case .none(let action, let subject, let fault, let correlation):
            self.policyVerdicts.with(action.rawValue, "none").add()
            self.log.write(
                .error, "no policy verdict",
                [
                    .init("action", .string(action.rawValue)), .init("subject", .string(subject)),
                    .init("fault", .string(self.log.words(fault))),
                ], correlation: correlation)
        }
    }

    /// What a sweep of the store has found: there should be nothing to find.
    func record(_ report: StorageSweep.Report) {
        guard !report.unknown.isEmpty || report.forgotten > 0 else { return }
        if !report.isHeld { self.unknownObjects.with().add(report.unknown.count) }
        self.log.write(
            .warning, "storage sweep",
            [
                .init("unknownObjects", JSON(report.unknown.count)), .init("unknownUploads", JSON(report.forgotten)),
                .init("held", .bool(report.isHeld)),
                .init("keys", .array(report.unknown.prefix(20).map { .string($0.text) })),
            ], correlation: nil)
    }

    /// `GET /metrics`.
    ///
    /// - Parameter token: that opens it; nil for an address of its own without one.
    func route(opensWith token: String?) -> Route {
        let metrics = self.metrics
        return .own("GET", "/metrics", "the setting metrics.token") { call, identity in
            if let token {
                guard let header = call.request.headers["authorization"] else { throw Refusal.unauthenticated }
                let presented = header.parts(at: " ").last.map { String($0) } ?? ""
                try await identity.examine(call.credential) {
                    guard ConstantTime.equal(presented.utf8, token.utf8) else { throw Refusal.unauthenticated }
                }
            }
            return Response(
                200, headers: ["Content-Type": Metrics.contentType], body: .bytes(Array(metrics.exposition().utf8)))
        }
    }
}

/// Lets one of many log lines through in each interval.
private final class LogInterval: Sendable {
    private let length: Duration
    private let last = Mutex<ContinuousClock.Instant?>(nil)

    init(_ length: Duration) { self.length = length }

    /// Whether the interval since it was last over has passed.
    func isOver() -> Bool {
        self.last.withLock { last in
            if let last, .now - last < self.length { return false }
            last = .now
            return true
        }
    }
}
