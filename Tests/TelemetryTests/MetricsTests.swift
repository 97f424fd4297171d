// Metrics and their written form. Rules: Prometheus text format 0.0.4.

import Telemetry
import Testing

@Suite struct MetricsTests {
    @Test func `each kind is written in its form, in the order of registration`() {
        let metrics = Metrics()
        let requests = metrics.counters("requests_total", "Requests.", labels: ["route", "status"])
        let depth = metrics.gauges("depth", "How many wait.").with()
        let sizes = metrics.histograms("sizes", "Sizes.", labels: ["kind"], bounds: [0.5, 1, 2.5]).with("a")
        metrics.counter("seconds_total", "Time.") { 1.25 }
        metrics.gauges("pool", "Connections.", labels: ["state"]) { [Reading(["busy"], 3), Reading(["idle"], 13)] }
        requests.with("/b", "2xx").add(2)
        requests.with("/a", "5xx").add()
        requests.with("/b", "2xx").add()
        depth.set(7)
        depth.add(-9)
        for value in [0.25, 0.5, 0.75, 2.5, 100] { sizes.observe(value) }
        #expect(
            metrics.exposition() == """
                # HELP requests_total Requests.
                # TYPE requests_total counter
                requests_total{route="/a",status="5xx"} 1
                requests_total{route="/b",status="2xx"} 3
                # HELP depth How many wait.
                # TYPE depth gauge
                depth -2
                # HELP sizes Sizes.
                # TYPE sizes histogram
                sizes_bucket{kind="a",le="0.5"} 2
                sizes_bucket{kind="a",le="1"} 3
                sizes_bucket{kind="a",le="2.5"} 4
                sizes_bucket{kind="a",le="+Inf"} 5
                sizes_sum{kind="a"} 104
                sizes_count{kind="a"} 5
                # HELP seconds_total Time.
                # TYPE seconds_total counter
                seconds_total 1.25
                # HELP pool Connections.
                # TYPE pool gauge
                pool{state="busy"} 3
                pool{state="idle"} 13

                """)
    }

    @Test func `a metric without labels is shown from the start`() {
        let metrics = Metrics()
        _ = metrics.counters("things_total", "Things.")
        #expect(metrics.exposition().hasSuffix("things_total 0\n"))
    }

    @Test(arguments: [
        (#"a"b"#, #"a\"b"#), (#"a\b"#, #"a\\b"#), ("a\nb", #"a\nb"#), ("ä 日", "ä 日"), ("", ""), ("{},=", "{},="),
    ])
    func `label values are escaped`(value: String, expected: String) {
        let metrics = Metrics()
        metrics.counters("x_total", "X.", labels: ["v"]).with(value).add()
        #expect(metrics.exposition().hasSuffix("x_total{v=\"\(expected)\"} 1\n"))
    }

    @Test func `help is escaped too, but for quotation marks`() {
        let metrics = Metrics()
        _ = metrics.counters("x_total", "a\\b\n\"c\"")
        #expect(metrics.exposition().hasPrefix("# HELP x_total a\\\\b\\n\"c\"\n# TYPE x_total counter\n"))
    }

    @Test(arguments: [
        (Double.infinity, "+Inf"), (-Double.infinity, "-Inf"), (Double.nan, "NaN"), (0.1, "0.1"), (5, "5"),
        (-0.5, "-0.5"),
        (1e15, "1000000000000000"),
    ])
    func `numbers are written as Go reads them`(number: Double, expected: String) {
        let metrics = Metrics()
        metrics.gauges("x", "X.") { [Reading([], number)] }
        #expect(metrics.exposition().hasSuffix("x \(expected)\n"))
    }

    @Test func `label values without end are counted together`() {
        let metrics = Metrics()
        let family = metrics.counters("x_total", "X.", labels: ["v", "w"])
        for number in 0..<5000 { family.with("\(number)", "w").add() }
        let lines = metrics.exposition().split(separator: "\n").dropFirst(2)
        #expect(lines.count <= 2001)
        #expect(lines.contains("x_total{v=\"other\",w=\"other\"} 3000"))
    }

    @Test func `nothing is lost when many threads count at once`() async {
        let metrics = Metrics()
        let counters = metrics.counters("x_total", "X.", labels: ["v"])
        let histogram = metrics.histograms("y", "Y.", bounds: [1, 2]).with()
        await withTaskGroup { group in
            for task in 0..<8 {
                group.addTask {
                    for number in 0..<5000 {
                        counters.with("\(number % 3)").add()
                        histogram.observe(Double(task % 3) + 0.5)
                    }
                }
            }
        }
        #expect((0..<3).reduce(0) { $0 + counters.with("\($1)").value } == 40000)
        #expect(histogram.count == 40000)
        let expected = [0, 1, 2, 0, 1, 2, 0, 1].reduce(0) { $0 + 5000 * (Double($1) + 0.5) }
        #expect(metrics.exposition().contains("y_sum \(Int(expected))\n"))
    }
}

@Suite struct RequestMetricsTests {
    private static let quiet: @Sendable () -> RequestMetrics.Traffic = {
        .init(bytesIn: 10, bytesOut: 20, openConnections: 3, requestsInFlight: 1)
    }

    @Test func `requests are counted by route, method and class of status`() {
        let metrics = Metrics()
        let requests = RequestMetrics(in: metrics, traffic: Self.quiet)
        for status in [200, 204, 404, 503, 503] {
            requests.record(route: "/v1/repos/{repoKey}", method: "GET", status: status, duration: .milliseconds(3))
        }
        requests.record(route: nil, method: "BREW", status: 404, duration: .seconds(7))
        let text = metrics.exposition()
        for line in [
            #"artifortress_http_requests_total{route="/v1/repos/{repoKey}",method="GET",status="2xx"} 2"#,
            #"artifortress_http_requests_total{route="/v1/repos/{repoKey}",method="GET",status="4xx"} 1"#,
            #"artifortress_http_requests_total{route="/v1/repos/{repoKey}",method="GET",status="5xx"} 2"#,
            #"artifortress_http_requests_total{route="none",method="other",status="4xx"} 1"#,
            #"artifortress_http_request_duration_seconds_bucket{route="/v1/repos/{repoKey}",method="GET",le="0.0025"} 0"#,
            #"artifortress_http_request_duration_seconds_bucket{route="/v1/repos/{repoKey}",method="GET",le="0.005"} 5"#,
            #"artifortress_http_request_duration_seconds_count{route="none",method="other"} 1"#,
            "artifortress_http_received_bytes_total 10", "artifortress_http_sent_bytes_total 20",
            "artifortress_http_connections 3", "artifortress_http_requests_in_flight 1",
        ] {
            #expect(text.contains(line + "\n"), "\(line)")
        }
    }

    @Test func `methods that a client makes up don't grow the registry`() {
        let metrics = Metrics()
        let requests = RequestMetrics(in: metrics, traffic: Self.quiet)
        for number in 0..<1000 { requests.record(route: nil, method: "M\(number)", status: 405, duration: .zero) }
        #expect(metrics.exposition().contains(#"{route="none",method="other",status="4xx"} 1000"#))
    }

    @Test func `the process is measured`() {
        let metrics = Metrics()
        ProcessMetrics.register(in: metrics, version: "1.2.3")
        let values = Dictionary(
            metrics.exposition().split(separator: "\n").filter { !$0.hasPrefix("#") }
                .map { ($0.split(separator: " ")[0], Double($0.split(separator: " ")[1]) ?? -1) }, uniquingKeysWith: max
        )
        #expect(values["artifortress_build_info{version=\"1.2.3\"}"] == 1)
        #expect(values["process_resident_memory_bytes"] ?? 0 > 1_000_000)
        #expect(values["process_open_fds"] ?? 0 > 2)
        #expect(values["process_max_fds"] ?? 0 >= values["process_open_fds"] ?? .infinity)
        #expect(values["process_cpu_seconds_total"] ?? -1 >= 0)
        #expect(values["process_start_time_seconds"] ?? 0 > 1_700_000_000)
    }
}
