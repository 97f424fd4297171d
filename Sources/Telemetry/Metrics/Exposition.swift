// How a metric's lines are written. Rules: Prometheus text format 0.0.4.

/// The lines of one family.
package struct MetricLines {
    private let head: MetricHead
    private(set) var text: String
    /// The label values of the lines that come next.
    var values: [String] = []

    init(of head: MetricHead) {
        self.head = head
        self.text =
            "# HELP \(head.name) \(Exposition.escaped(head.help, quotes: false))\n# TYPE \(head.name) \(head.type)\n"
    }

    /// - Parameters:
    ///   - suffix: after the family's name.
    ///   - extra: one more label.
    mutating func add(_ number: Double, suffix: String = "", extra: (name: String, value: String)? = nil) {
        var pairs = Array(zip(self.head.labels, self.values))
        if let extra { pairs.append(extra) }
        let labels = pairs.map { "\($0)=\"\(Exposition.escaped($1, quotes: true))\"" }.joined(separator: ",")
        self.text += "\(self.head.name)\(suffix)\(labels.isEmpty ? "" : "{\(labels)}") \(Exposition.text(of: number))\n"
    }
}

enum Exposition {
    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`
    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: ":"): true
            default: false
            }
        }
    }

    /// - Parameter quotes: for a label's value, which stands between quotation marks.
    static func escaped(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    static func text(of number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Inf" : "+Inf" }
        if let whole = Int64(exactly: number) { return String(whole) }
        return number.description
    }
}
