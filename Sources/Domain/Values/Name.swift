// Text that names something. Swift's `String` compares by Unicode canonical equivalence: U+212A (KELVIN SIGN) equals "K",
// and "é" equals "e" with a combining accent. Two names are the same only if their bytes are, on both databases.

/// UTF-8 text whose equality, hash, order, prefixes, suffixes and parts are those of its bytes.
package struct Name: Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    package init(_ text: some StringProtocol) { self.text = String(text) }

    package var isEmpty: Bool { self.text.isEmpty }

    package func starts(with prefix: String) -> Bool { self.text.startsWithBytes(of: prefix) }

    package func ends(with suffix: String) -> Bool { self.text.endsWithBytes(of: suffix) }

    /// The parts between the separators, empty ones included.
    package func split(at separator: Unicode.Scalar) -> [Name] {
        self.text.parts(at: separator).map { Name($0) }
    }
}

extension Name: Hashable {
    package static func == (left: Name, right: Name) -> Bool { left.text.hasSameBytes(as: right.text) }

    package func hash(into hasher: inout Hasher) {
        var word: UInt64 = 0
        var count = 0
        for byte in self.text.utf8 {
            word = word << 8 | UInt64(byte)
            count += 1
            if count & 7 == 0 {
                hasher.combine(word)
                word = 0
            }
        }
        hasher.combine(word)
        hasher.combine(count)
    }
}

extension Name: Comparable {
    /// As SQLite's BINARY and PostgreSQL's collation "C" order text.
    package static func < (left: Name, right: Name) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }
}

extension Name: ExpressibleByStringInterpolation, CustomStringConvertible {
    package init(stringLiteral text: String) { self.init(text) }

    package var description: String { self.text }
}

extension StringProtocol {
    package func hasSameBytes(as other: some StringProtocol) -> Bool {
        self.utf8.count == other.utf8.count && self.utf8.elementsEqual(other.utf8)
    }

    package func startsWithBytes(of prefix: String) -> Bool { self.utf8.starts(with: prefix.utf8) }

    package func endsWithBytes(of suffix: String) -> Bool {
        self.utf8.count >= suffix.utf8.count && self.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
    }

    /// Whether an ASCII character occurs, also if a combining mark follows it.
    package func has(_ character: Unicode.Scalar) -> Bool { self.utf8.contains(UInt8(ascii: character)) }

    /// Where an ASCII character occurs first, also if a combining mark follows it.
    package func first(_ character: Unicode.Scalar) -> Index? { self.utf8.firstIndex(of: UInt8(ascii: character)) }

    /// Where an ASCII character occurs last, also if a combining mark follows it.
    package func last(_ character: Unicode.Scalar) -> Index? {
        Substring(self).utf8.lastIndex(of: UInt8(ascii: character))
    }

    /// The parts between occurrences of an ASCII character, also if a combining mark follows it.
    ///
    /// - Parameters:
    ///   - most: how often to split; the last part has the rest.
    ///   - keepsEmpty: whether empty parts count.
    package func parts(
        at separator: Unicode.Scalar, most: Int = .max, keepsEmpty: Bool = true
    ) -> [Substring] {
        Substring(self).utf8.split(
            separator: UInt8(ascii: separator), maxSplits: most, omittingEmptySubsequences: !keepsEmpty
        ).map { Substring($0) }
    }
}

extension String {
    /// Lower case, except that no other character becomes an ASCII letter: U+212A (KELVIN SIGN) stays what it is.
    package var lowercasedName: String {
        if self.utf8.allSatisfy({ $0 < 0x80 }) { return self.lowercased() }
        var text = ""
        for scalar in self.unicodeScalars {
            let lower = scalar.properties.lowercaseMapping
            if !scalar.isASCII, lower.utf8.allSatisfy({ $0 < 0x80 }) {
                text.unicodeScalars.append(scalar)
            } else {
                text += lower
            }
        }
        return text
    }

    /// With the letters A to Z in lower case; all else stays: as protocol names compare.
    package var asciiLowercased: String {
        guard self.utf8.contains(where: { (0x41...0x5A).contains($0) }) else { return self }
        return String(decoding: self.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}
