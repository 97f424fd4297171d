// Bytes whose order is a format's order of versions, so that a database can page through them (architecture, section
// 5, Order). A key is a sequence of self-delimiting parts: no key's part is a prefix of another's.

/// A key in the making.
package struct SortKey: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// A text that the format does not read as a version: before all that it does, in the order of its bytes.
    package init(unreadable text: String) { self.bytes = [0] + text.utf8 }

    /// The beginning of a version that the format reads.
    package static var readable: SortKey {
        var key = SortKey()
        key.append(mark: 1)
        return key
    }

    package mutating func append(mark: UInt8) { self.bytes.append(mark) }

    /// A longer number is a greater one, so the count of its digits comes first.
    package mutating func append(_ number: Decimal) {
        self.bytes.append(UInt8(number.digits.count))
        self.bytes += number.digits
    }

    /// - Parameter text: without U+0000, which ends it.
    package mutating func append(_ text: String) {
        self.bytes += text.utf8
        self.bytes.append(0)
    }
}
