// Whole numbers as version texts have them: of any length.

/// A number of at most 255 decimal digits. Leading zeros do not count.
package struct Decimal: Hashable, Comparable, Sendable {
    /// Without leading zeros; empty for zero.
    let digits: [UInt8]

    /// Nil where `text` is empty, has another character than `0` to `9`, or is longer.
    package init?(_ text: some StringProtocol) {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        self.digits = Array(text.utf8.drop { $0 == 0x30 })
        if self.digits.count > 255 { return nil }
    }

    private init(digits: [UInt8]) { self.digits = digits }

    package static let zero = Decimal(digits: [])

    package var isZero: Bool { self.digits.isEmpty }

    package static func < (left: Self, right: Self) -> Bool {
        left.digits.count == right.digits.count
            ? left.digits.lexicographicallyPrecedes(right.digits) : left.digits.count < right.digits.count
    }
}
