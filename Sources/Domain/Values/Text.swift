// How text that people and scripts send is normalized. Rules: HTTP contract, 1.4.

extension StringProtocol {
    /// Without white space at either end.
    package var trimmed: String { String(self).trimmed }

    /// Trimmed; nil where nothing is left ("blank counts as absent").
    package var trimmedOrNil: String? { String(self).trimmedOrNil }

    /// Whether it has a control character: C0, DEL, C1, or one that changes the direction of text (U+202A to U+202E,
    /// U+2066 to U+2069).
    package var hasControlCharacter: Bool {
        var isASCII = true
        for byte in self.utf8 {
            if byte < 0x20 || byte == 0x7F { return true }
            if byte >= 0x80 { isASCII = false }
        }
        return !isASCII
            && self.unicodeScalars.contains { scalar in
                switch scalar.value {
                case 0x80...0x9F, 0x202A...0x202E, 0x2066...0x2069: true
                default: false
                }
            }
    }
}

extension String {
    package var trimmed: String {
        // Most text has nothing to trim, or ASCII, and says so in its first and last byte.
        var rest = self.utf8[...]
        while let first = rest.first, first.isWhiteSpace { rest.removeFirst() }
        while let last = rest.last, last.isWhiteSpace { rest.removeLast() }
        guard let first = rest.first, let last = rest.last else { return "" }
        if first < 0x80, last < 0x80 { return rest.count == self.utf8.count ? self : String(Substring(rest)) }
        let scalars = self.unicodeScalars
        guard let start = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let end = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(String.UnicodeScalarView(scalars[start...end]))
    }

    package var trimmedOrNil: String? {
        let text = self.trimmed
        return text.isEmpty ? nil : text
    }
}

extension UInt8 {
    /// Of ASCII's characters with Unicode's property White_Space.
    fileprivate var isWhiteSpace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
}
