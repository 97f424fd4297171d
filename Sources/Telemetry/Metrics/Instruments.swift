// What counts and measures. Every operation is a few atomic instructions.

import Synchronization

package final class Counter: Metric {
    private let total = Atomic<Int>(0)

    package var value: Int { self.total.load(ordering: .relaxed) }

    /// - Parameter count: not negative.
    package func add(_ count: Int = 1) { self.total.wrappingAdd(count, ordering: .relaxed) }

    package func write(_ lines: inout MetricLines) { lines.add(Double(self.value)) }
}

package final class Gauge: Metric {
    private let number = Atomic<Int>(0)

    package var value: Int { self.number.load(ordering: .relaxed) }

    package func set(_ value: Int) { self.number.store(value, ordering: .relaxed) }

    package func add(_ count: Int) { self.number.wrappingAdd(count, ordering: .relaxed) }

    package func write(_ lines: inout MetricLines) { lines.add(Double(self.value)) }
}

package final class Histogram: Metric {
    private let bounds: [Double]
    /// How many values fell into each bucket and into no lower one; the last is for those beyond every bound.
    private let buckets: [Counter]
    /// The bits of a `Double`.
    private let sum = Atomic<UInt64>((0.0).bitPattern)

    init(bounds: [Double]) {
        precondition(zip(bounds, bounds.dropFirst()).allSatisfy(<), "bounds rise")
        self.bounds = bounds
        self.buckets = (0...bounds.count).map { _ in Counter() }
    }

    /// How many values have been seen.
    package var count: Int { self.buckets.reduce(0) { $0 + $1.value } }

    package func observe(_ value: Double) {
        self.buckets[self.bounds.firstIndex { value <= $0 } ?? self.bounds.count].add()
        var old = self.sum.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + value).bitPattern
            let (exchanged, found) = self.sum.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if exchanged { return }
            old = found
        }
    }

    /// In seconds.
    package func observe(_ duration: Duration) { self.observe(duration / .seconds(1)) }

    package func write(_ lines: inout MetricLines) {
        var count = 0
        for (bucket, bound) in zip(self.buckets, self.bounds + [.infinity]) {
            count += bucket.value
            lines.add(Double(count), suffix: "_bucket", extra: ("le", Exposition.text(of: bound)))
        }
        lines.add(Double(bitPattern: self.sum.load(ordering: .relaxed)), suffix: "_sum")
        lines.add(Double(count), suffix: "_count")  // the last bucket's value, even if more is observed in between
    }
}
