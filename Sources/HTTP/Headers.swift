// Header fields as they were sent or will be sent: in order, repeats kept.
// Rules: RFC 9110, 5.1 to 5.5.

/// Header fields in order. Names compare without regard to (ASCII) case.
package struct Headers: Sendable, ExpressibleByDictionaryLiteral {
    package private(set) var fields: [(name: String, value: String)] = []

    /// - Parameter count: how many fields to make room for.
    package init(room count: Int = 0) { self.fields.reserveCapacity(count) }

    package init(dictionaryLiteral elements: (String, String)...) {
        self.fields = elements.map { (name: $0.0, value: $0.1) }
    }

    package mutating func append(_ name: String, _ value: String) { self.fields.append((name, value)) }

    /// The first value with that name.
    package subscript(name: String) -> String? {
        self.fields.first { $0.name.equalsIgnoringCase(name) }?.value
    }

    /// Replaces every field of that name by one.
    package mutating func set(_ name: String, _ value: String) {
        self.fields.removeAll { $0.name.equalsIgnoringCase(name) }
        self.fields.append((name, value))
    }

    /// Every value with that name, in order.
    package func all(_ name: String) -> [String] {
        self.fields.filter { $0.name.equalsIgnoringCase(name) }.map(\.value)
    }
}

extension String {
    /// ASCII only, as protocol names are.
    package func equalsIgnoringCase(_ other: String) -> Bool {
        guard self.utf8.count == other.utf8.count else { return false }
        var others = other.utf8.makeIterator()
        for byte in self.utf8 where others.next()?.asciiLowercased != byte.asciiLowercased { return false }
        return true
    }
}

extension UInt8 {
    package var asciiLowercased: UInt8 { (0x41...0x5A).contains(self) ? self | 0x20 : self }

    /// A character of a token (RFC 9110, 5.6.2): what header names and methods are made of.
    package var isTokenCharacter: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E, 0x5F, 0x60, 0x7C, 0x7E: true
        default: false
        }
    }
}
