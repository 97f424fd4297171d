// What is counted of HTTP requests.

import Synchronization

/// Requests by route pattern, method and class of status, and how long they took.
package final class RequestMetrics: Sendable {
    /// What a server has carried since its start, and carries now.
    package struct Traffic: Sendable {
        /// Bytes of bodies.
        package var bytesIn = 0, bytesOut = 0
        package var openConnections = 0, requestsInFlight = 0

        package init(bytesIn: Int, bytesOut: Int, openConnections: Int, requestsInFlight: Int) {
            self.bytesIn = bytesIn
            self.bytesOut = bytesOut
            self.openConnections = openConnections
            self.requestsInFlight = requestsInFlight
        }
    }

    private struct Key: Hashable {
        let route: String
        let method: String
    }

    /// The members of one route and method.
    private struct Members {
        let latency: Histogram
        /// 1xx to 5xx; made when first needed.
        var counts: [Counter?]
    }

    /// In seconds: from answers out of memory to large uploads.
    private static let bounds = [
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300,
    ]
    /// Others are counted together: a client can send any.
    private static let methods: Set<String> = ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"]

    private let counts: LabeledFamily<Counter>
    private let latencies: LabeledFamily<Histogram>
    private let members = Mutex<[Key: Members]>([:])

    package init(in metrics: Metrics, traffic: @escaping @Sendable () -> Traffic) {
        self.counts = metrics.counters(
            "artifortress_http_requests_total", "Requests answered, by route, method and class of status.",
            labels: ["route", "method", "status"])
        self.latencies = metrics.histograms(
            "artifortress_http_request_duration_seconds",
            "Time from a request's head to its answer's, by route and method.", labels: ["route", "method"],
            bounds: Self.bounds)
        metrics.counter("artifortress_http_received_bytes_total", "Bytes of request bodies.") {
            Double(traffic().bytesIn)
        }
        metrics.counter("artifortress_http_sent_bytes_total", "Bytes of answers' bodies.") {
            Double(traffic().bytesOut)
        }
        metrics.gauges("artifortress_http_connections", "Open connections.") {
            [Reading([], Double(traffic().openConnections))]
        }
        metrics.gauges("artifortress_http_requests_in_flight", "Requests whose answers haven't been sent whole.") {
            [Reading([], Double(traffic().requestsInFlight))]
        }
    }

    /// - Parameters:
    ///   - route: the pattern, never the path; nil where no route was found.
    ///   - duration: to the answer's head.
    package func record(route: String?, method: String, status: Int, duration: Duration) {
        let key = Key(route: route ?? "none", method: Self.methods.contains(method) ? method : "other")
        let hundreds = min(max(status / 100, 1), 5)
        let (latency, count) = self.members.withLock { members in
            if let found = members[key], let count = found.counts[hundreds - 1] { return (found.latency, count) }
            var found =
                members[key]
                ?? Members(latency: self.latencies.with(key.route, key.method), counts: Array(repeating: nil, count: 5))
            let count = self.counts.with(key.route, key.method, "\(hundreds)xx")
            found.counts[hundreds - 1] = count
            if members.count < LabeledFamily<Counter>.limit { members[key] = found }
            return (found.latency, count)
        }
        count.add()
        latency.observe(duration)
    }
}
