// Metrics of one name, told apart by their labels.

import Synchronization

/// Everything of one name.
protocol MetricFamily: Sendable {
    var head: MetricHead { get }
    func write(to text: inout String)
}

/// What a family's lines have in common.
struct MetricHead: Sendable {
    let name: String
    let help: String
    let type: String
    let labels: [String]

    init(_ name: String, _ help: String, type: String, labels: [String]) {
        precondition(Exposition.isName(name) && labels.allSatisfy(Exposition.isName), "no name of a metric: \(name)")
        self.name = name
        self.help = help
        self.type = type
        self.labels = labels
    }
}

/// Something that is counted or measured under one set of label values.
package protocol Metric: AnyObject, Sendable {
    /// Writes its lines.
    func write(_ lines: inout MetricLines)
}

/// A family whose members are made when their label values are first seen. Keep the member where it is used often:
/// finding it takes a lock.
package final class LabeledFamily<Member: Metric>: MetricFamily {
    /// Beyond so many members, further label values are counted together under `other`: what clients send must not grow
    /// the registry without end.
    package static var limit: Int { 2000 }

    let head: MetricHead
    private let make: @Sendable () -> Member
    private let members: Mutex<[[String]: Member]>

    init(_ name: String, _ help: String, type: String, labels: [String], make: @escaping @Sendable () -> Member) {
        self.head = MetricHead(name, help, type: type, labels: labels)
        self.make = make
        // A family without labels has its one member from the start, so that it is shown as zero.
        self.members = Mutex(labels.isEmpty ? [[]: make()] : [:])
    }

    /// The member with these label values, in the order of the label names.
    package func with(_ values: String...) -> Member { self.with(values) }

    /// The member with these label values, in the order of the label names.
    package func with(_ values: [String]) -> Member {
        precondition(values.count == self.head.labels.count, "\(self.head.name) has other labels")
        return self.members.withLock { members in
            if let member = members[values] { return member }
            let values = members.count < Self.limit ? values : values.map { _ in "other" }
            if let member = members[values] { return member }
            let member = self.make()
            members[values] = member
            return member
        }
    }

    func write(to text: inout String) {
        let members = self.members.withLock { $0 }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        var lines = MetricLines(of: self.head)
        for (values, member) in members {
            lines.values = values
            member.write(&lines)
        }
        text += lines.text
    }
}

/// A family that is read when it is shown.
final class ReadFamily: MetricFamily {
    let head: MetricHead
    private let read: @Sendable () -> [Reading]

    init(_ name: String, _ help: String, type: String, labels: [String], read: @escaping @Sendable () -> [Reading]) {
        self.head = MetricHead(name, help, type: type, labels: labels)
        self.read = read
    }

    func write(to text: inout String) {
        var lines = MetricLines(of: self.head)
        for reading in self.read() {
            lines.values = reading.values
            lines.add(reading.number)
        }
        text += lines.text
    }
}
