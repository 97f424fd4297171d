// Header fields as they were sent or will be sent: in order, repeats kept.
// Rules: RFC 9110, 5.1 to 5.5.

/// Where received fields are kept: text of one is made only when it is asked for.
package protocol FieldSource: AnyObject, Sendable {
    var fieldCount: Int { get }

    func fieldName(at index: Int) -> String

    func fieldValue(at index: Int) -> String

    /// The first field of that name at or after `start`. Names compare without regard to (ASCII) case.
    func fieldIndex(of name: String, from start: Int) -> Int?
}

/// Header fields in order. Names compare without regard to (ASCII) case.
package struct Headers: Sendable, ExpressibleByDictionaryLiteral {
    /// Fields as they were received; nil if there are none, and once they have been changed.
    private var source: (any FieldSource)?
    private var own: [(name: String, value: String)] = []

    /// - Parameter count: how many fields to make room for.
    package init(room count: Int = 0) { self.own.reserveCapacity(count) }

    /// Fields as they were received.
    package init(_ source: any FieldSource) { self.source = source }

    package init(dictionaryLiteral elements: (String, String)...) {
        self.own = elements.map { (name: $0.0, value: $0.1) }
    }

    package var fields: [(name: String, value: String)] {
        guard let source = self.source else { return self.own }
        return (0..<source.fieldCount).map { (name: source.fieldName(at: $0), value: source.fieldValue(at: $0)) }
    }

    package mutating func append(_ name: String, _ value: String) {
        self.takeOver()
        self.own.append((name, value))
    }

    /// The first value with that name.
    package subscript(name: String) -> String? {
        if let source = self.source {
            return source.fieldIndex(of: name, from: 0).map { source.fieldValue(at: $0) }
        }
        return self.own.first { $0.name.equalsIgnoringCase(name) }?.value
    }

    /// Replaces every field of that name by one.
    package mutating func set(_ name: String, _ value: String) {
        self.takeOver()
        self.own.removeAll { $0.name.equalsIgnoringCase(name) }
        self.own.append((name, value))
    }

    /// Every value with that name, in order.
    package func all(_ name: String) -> [String] {
        guard let source = self.source else {
            return self.own.filter { $0.name.equalsIgnoringCase(name) }.map(\.value)
        }
        var values: [String] = []
        var start = 0
        while let index = source.fieldIndex(of: name, from: start) {
            values.append(source.fieldValue(at: index))
            start = index + 1
        }
        return values
    }

    /// Makes text of received fields, so that they can be changed.
    private mutating func takeOver() {
        guard self.source != nil else { return }
        self.own = self.fields
        self.source = nil
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
