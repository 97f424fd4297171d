// The registry of what is counted and measured, and its written form.
// Rules: Prometheus text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/).

import Synchronization

/// Families of metrics in the order in which they were registered. Names are unique; all of them stand in our sources.
package final class Metrics: Sendable {
    /// The content type of ``exposition()``.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private let families = Mutex<[any MetricFamily]>([])

    package init() {}

    /// A number that only grows. By custom its name ends with `_total`.
    package func counters(_ name: String, _ help: String, labels: [String] = []) -> LabeledFamily<Counter> {
        self.add(LabeledFamily(name, help, type: "counter", labels: labels) { Counter() })
    }

    /// A number that goes up and down.
    package func gauges(_ name: String, _ help: String, labels: [String] = []) -> LabeledFamily<Gauge> {
        self.add(LabeledFamily(name, help, type: "gauge", labels: labels) { Gauge() })
    }

    /// How often values of each size were seen.
    ///
    /// - Parameter bounds: the buckets' upper ends, rising.
    package func histograms(
        _ name: String, _ help: String, labels: [String] = [], bounds: [Double]
    ) -> LabeledFamily<Histogram> {
        self.add(LabeledFamily(name, help, type: "histogram", labels: labels) { Histogram(bounds: bounds) })
    }

    /// A number that only grows, asked for when it is to be shown.
    package func counter(_ name: String, _ help: String, read: @escaping @Sendable () -> Double) {
        _ = self.add(ReadFamily(name, help, type: "counter", labels: []) { [Reading([], read())] })
    }

    /// Numbers that go up and down, asked for when they are to be shown.
    package func gauges(
        _ name: String, _ help: String, labels: [String] = [], read: @escaping @Sendable () -> [Reading]
    ) {
        _ = self.add(ReadFamily(name, help, type: "gauge", labels: labels, read: read))
    }

    /// Every metric as it is now.
    package func exposition() -> String {
        var text = ""
        for family in self.families.withLock({ $0 }) { family.write(to: &text) }
        return text
    }

    private func add<Family: MetricFamily>(_ family: Family) -> Family {
        self.families.withLock { families in
            precondition(!families.contains { $0.head.name == family.head.name }, "\(family.head.name) stands twice")
            families.append(family)
        }
        return family
    }
}

/// One number of a family that is read when it is shown.
package struct Reading: Hashable, Sendable {
    /// In the order of the family's label names.
    let values: [String]
    let number: Double

    package init(_ values: [String], _ number: Double) {
        self.values = values
        self.number = number
    }
}
