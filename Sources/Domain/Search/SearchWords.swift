// What a document is found by, and what is looked for: the same words on both databases. Rules: HTTP contract, 3.7:
// every word of the query occurs in the document's text, without regard to case.

/// Text taken apart into words: runs of letters and digits. What hyphens and dots hold together (`left-pad`, `1.2.3`) is
/// a word too, beside its parts.
package enum SearchWords {
    /// In bytes: of a document's text, what is beyond isn't indexed.
    package static let textLimit = 128 * 1024
    /// In bytes: longer words are cut.
    static let wordLimit = 128

    /// The words of a document in their order.
    package static func all(in text: some StringProtocol) -> [String] {
        self.runs(in: text).flatMap { run in
            let parts = self.parts(of: run)
            return parts.count > 1 ? [run] + parts : parts
        }
    }

    /// What a query asks for, each once: of what is held together only the whole.
    package static func asked(in text: String) -> [String] {
        var seen: Set<String> = []
        return self.runs(in: text).filter { seen.insert($0).inserted }
    }

    /// What hyphens and dots hold together, and single words.
    private static func runs(in text: some StringProtocol) -> [String] {
        var runs: [String] = []
        var current = String.UnicodeScalarView()
        func finish() {
            var scalars = current[...]
            while let last = scalars.last, self.isConnector(last) { scalars.removeLast() }
            if !scalars.isEmpty { runs.append(self.cut(String(scalars).lowercased())) }
            current = String.UnicodeScalarView()
        }
        for scalar in text.unicodeScalars {
            if self.isWordly(scalar) {
                current.append(scalar)
            } else if self.isConnector(scalar), let last = current.last, !self.isConnector(last) {
                current.append(scalar)
            } else {
                finish()
            }
        }
        finish()
        return runs
    }

    private static func parts(of run: String) -> [String] {
        run.unicodeScalars.split(whereSeparator: self.isConnector).map { String($0) }
    }

    private static func isConnector(_ scalar: Unicode.Scalar) -> Bool { scalar == "-" || scalar == "." }

    private static func isWordly(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII {
            return switch scalar.value {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            default: false
            }
        }
        return scalar.properties.isAlphabetic || scalar.properties.numericType != nil
    }

    private static func cut(_ word: String) -> String {
        guard word.utf8.count > self.wordLimit else { return word }
        var (scalars, length) = (String.UnicodeScalarView(), 0)
        for scalar in word.unicodeScalars {
            length += UTF8.width(scalar)
            if length > self.wordLimit { break }
            scalars.append(scalar)
        }
        return String(scalars)
    }
}

extension String {
    /// Its beginning, at most so many bytes, ending with a whole character.
    package func cut(toBytes limit: Int) -> String {
        guard self.utf8.count > limit else { return self }
        var end = self.utf8.index(self.utf8.startIndex, offsetBy: limit)
        while end > self.startIndex, end.samePosition(in: self.unicodeScalars) == nil {
            end = self.utf8.index(before: end)
        }
        return String(self[..<end])
    }
}
