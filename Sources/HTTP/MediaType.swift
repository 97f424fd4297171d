// A media type as a `Content-Type` header has it. Rules: RFC 9110, 8.3.1 and 5.6.6.

import Domain

/// A media type: `type/subtype` in lower case, and its parameters as they were written.
package struct MediaType: Hashable, Sendable {
    /// Without parameters, in lower case.
    package let essence: String

    /// Reads a whole header value; nil if it is not exactly one media type with well-formed parameters.
    package init?(parsing text: String) {
        var rest = text.trimmed.utf8[...]
        guard let type = Self.token(&rest), rest.popFirst() == UInt8(ascii: "/"), let subtype = Self.token(&rest) else {
            return nil
        }
        while true {
            Self.skipBlanks(&rest)
            guard let next = rest.popFirst() else { break }
            guard next == UInt8(ascii: ";") else { return nil }
            Self.skipBlanks(&rest)
            guard let first = rest.first, first != UInt8(ascii: ";") else { continue }  // an empty parameter
            guard Self.token(&rest) != nil, rest.popFirst() == UInt8(ascii: "="),
                Self.token(&rest) != nil || Self.skipQuoted(&rest)
            else { return nil }
        }
        self.essence = "\(type)/\(subtype)".lowercased()
    }

    private static func token(_ rest: inout Substring.UTF8View) -> String? {
        let end = rest.firstIndex { !$0.isTokenCharacter } ?? rest.endIndex
        guard end > rest.startIndex else { return nil }
        defer { rest = rest[end...] }
        return String(Substring(rest[..<end]))
    }

    private static func skipBlanks(_ rest: inout Substring.UTF8View) {
        while let byte = rest.first, byte == 0x20 || byte == 0x09 { rest.removeFirst() }
    }

    /// - Returns: false if there is no quoted string.
    private static func skipQuoted(_ rest: inout Substring.UTF8View) -> Bool {
        guard rest.popFirst() == UInt8(ascii: "\"") else { return false }
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return true
            case UInt8(ascii: "\\"): if rest.popFirst() == nil { return false }
            case 0x00..<0x20 where byte != 0x09: return false
            case 0x7F: return false
            default: break
            }
        }
        return false
    }
}
