// How text that people and scripts send is normalised. Rules: HTTP contract, 1.4.

extension StringProtocol {
    /// Without white space at either end.
    package var trimmed: String {
        // Most text has nothing to trim, and says so in its first and last byte.
        if let first = self.utf8.first, let last = self.utf8.suffix(1).first, (0x21..<0x7F).contains(first),
            (0x21..<0x7F).contains(last)
        {
            return String(self)
        }
        let scalars = self.unicodeScalars
        guard let start = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let end = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(String.UnicodeScalarView(scalars[start...end]))
    }

    /// Trimmed; nil where nothing is left ("blank counts as absent").
    package var trimmedOrNil: String? {
        let text = self.trimmed
        return text.isEmpty ? nil : text
    }

    /// Whether a C0 control character or DEL stands in it.
    package var hasControlCharacter: Bool { self.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F } }
}
