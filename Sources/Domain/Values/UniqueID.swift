// Row identities: UUIDs (RFC 9562), made by us as version 7, so that both databases see the same ids in the same order.

/// A UUID as two big-endian words; sorts as its bytes do, so version 7 sorts by time.
package struct UniqueID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let high: UInt64, low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Version 7 of `time`, with 74 random bits.
    package init(at time: Timestamp, using random: inout some RandomNumberGenerator) {
        let milliseconds = UInt64(bitPattern: time.microseconds / 1000)
        self.high = milliseconds << 16 | 0x7000 | random.next() & 0x0FFF
        self.low = 0x8000_0000_0000_0000 | random.next() >> 2
    }

    /// Version 7 of `time`.
    package init(at time: Timestamp) {
        var random = SystemRandomNumberGenerator()
        self.init(at: time, using: &random)
    }

    /// Version 4: nothing but random bits, for what must not tell when it was made.
    package static func random() -> UniqueID {
        var random = SystemRandomNumberGenerator()
        return UniqueID(
            high: random.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000, low: 0x8000_0000_0000_0000 | random.next() >> 2)
    }

    /// All zeros: what a missing UUID of a JSON body means (HTTP contract, 1.2).
    package static let zero = UniqueID(high: 0, low: 0)

    /// Reads a UUID, in either case.
    ///
    /// - Parameter lenient: whether the hyphens may be left out, as in a path (HTTP contract, 1.1).
    package init?(_ text: some StringProtocol, lenient: Bool = false) {
        var words: [UInt64] = [0, 0]
        var digits = 0
        for (index, byte) in text.utf8.enumerated() {
            if byte == UInt8(ascii: "-"), [8, 13, 18, 23].contains(index), text.utf8.count == 36 { continue }
            guard let digit = byte.hexDigitValue, digits < 32 else { return nil }
            words[digits / 16] = words[digits / 16] << 4 | UInt64(digit)
            digits += 1
        }
        guard digits == 32, text.utf8.count == 36 || lenient && text.utf8.count == 32 else { return nil }
        self.high = words[0]
        self.low = words[1]
    }

    package static func < (left: Self, right: Self) -> Bool { (left.high, left.low) < (right.high, right.low) }

    /// 36 characters, lower case.
    package var description: String {
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for nibble in 0..<32 {
            if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 { text.append(UInt8(ascii: "-")) }
            let word = nibble < 16 ? self.high : self.low
            text.append(Hexadecimal.digit(UInt8(truncatingIfNeeded: word >> (60 - 4 * (nibble % 16)) & 15)))
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// 32 characters, lower case, without hyphens.
    package var hex: String {
        Hexadecimal.text(
            of: (0..<16).map { UInt8(truncatingIfNeeded: ($0 < 8 ? self.high : self.low) >> (56 - 8 * ($0 % 8))) })
    }
}

/// The identity of one `Thing`: ids of different things do not mix.
package struct Identifier<Thing>: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let value: UniqueID

    package init(_ value: UniqueID) { self.value = value }

    /// A new one, of `time`.
    package init(at time: Timestamp) { self.value = UniqueID(at: time) }

    package static func < (left: Self, right: Self) -> Bool { left.value < right.value }

    package var description: String { self.value.description }
}
