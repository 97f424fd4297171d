// What a request asks for, undecoded until a router asks.
// Rules: RFC 9112, 3.2 (origin form); RFC 3986, 2.1 (percent encoding).

import Domain

/// A request target as it was sent. `%2F` stays apart from `/` until a segment is decoded: npm's scoped names need it.
package struct Target: Hashable, Sendable, CustomStringConvertible {
    package let description: String
    /// Undecoded, without the query.
    package let path: String
    /// Undecoded, without the `?`.
    package let query: String?

    package init(_ text: String) {
        self.description = text
        let mark = text.utf8.firstIndex(of: UInt8(ascii: "?"))
        self.path = String(text[..<(mark ?? text.endIndex)])
        self.query = mark.map { String(text[text.utf8.index(after: $0)...]) }
    }

    /// The path's segments, each decoded separately; nil where an escape is malformed, the bytes are no UTF-8, or a
    /// segment holds a NUL.
    package var segments: [String]? {
        var segments: [String] = []
        segments.reserveCapacity(8)
        var rest = self.path.utf8.dropFirst()
        while true {
            let end = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
            guard let segment = Target.decode(rest[..<end]) else { return nil }
            segments.append(segment)
            guard end < rest.endIndex else { return segments }
            rest = rest[rest.index(after: end)...]
        }
    }

    static func decode(_ text: Substring.UTF8View) -> String? {
        guard text.contains(UInt8(ascii: "%")) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst()?.hexDigitValue, let low = rest.popFirst()?.hexDigitValue, high | low != 0
            else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
