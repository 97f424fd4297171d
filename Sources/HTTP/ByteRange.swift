// Range requests. Rules: RFC 9110, 14.1 to 14.4; HTTP contract, 3.4 and section 9, row 17.

package import Domain

/// What a `Range` header asks of a representation, before its length is known.
package enum ByteRange: Hashable, Sendable {
    /// `bytes=A-` and `bytes=A-B`; the end is the last byte asked for.
    case from(Int, through: Int?)
    /// `bytes=-N`.
    case last(Int)

    /// Reads a `Range` header.
    ///
    /// - Returns: nil if the whole is to be sent: no header, a blank one, several ranges, or a unit other than bytes.
    /// - Throws: `bad_request` for a malformed range of bytes: something that is not a number, or an end before the start.
    package init?(parsing header: String?) throws(Refusal) {
        guard let text = header?.trimmedOrNil else { return nil }
        let parts = text.parts(at: "=", most: 1)
        guard parts[0].trimmed.equalsIgnoringCase("bytes") else { return nil }
        guard parts.count == 2 else { throw Self.malformed }
        if parts[1].utf8.contains(UInt8(ascii: ",")) { return nil }
        let ends = parts[1].parts(at: "-").map(\.trimmed)
        guard ends.count == 2 else { throw Self.malformed }
        if ends[0].isEmpty {
            self = .last(try Self.number(ends[1]))
            return
        }
        let start = try Self.number(ends[0])
        if ends[1].isEmpty {
            self = .from(start, through: nil)
            return
        }
        let end = try Self.number(ends[1])
        guard end >= start else { throw Self.malformed }
        self = .from(start, through: end)
    }

    private static let malformed = Refusal.badRequest("Range must be bytes=A-B, bytes=A- or bytes=-N.")

    private static func number(_ text: String) throws(Refusal) -> Int {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { throw self.malformed }
        return Int(text) ?? .max  // beyond any length
    }

    /// The bytes of a representation of `length` bytes; nil where it has none of them.
    package func resolved(in length: Int) -> Range<Int>? {
        switch self {
        case .from(let start, let end):
            guard start < length else { return nil }
            return start..<min(length, end.map { $0 == .max ? .max : $0 + 1 } ?? length)
        case .last(let count):
            guard count > 0, length > 0 else { return nil }
            return max(0, length - count)..<length
        }
    }
}
