// How text that people and scripts send is normalised. Rules: HTTP contract, 1.4.

extension StringProtocol {
    /// Without white space at either end.
    package var trimmed: String { String(self).trimmed }

    /// Trimmed; nil where nothing is left ("blank counts as absent").
    package var trimmedOrNil: String? { String(self).trimmedOrNil }

    /// Whether a C0 control character or DEL stands in it.
    package var hasControlCharacter: Bool { self.utf8.contains { $0 < 0x20 || $0 == 0x7F } }
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
