// How text is split into words, for documents and for queries: both databases index the same words and look up the same
// words. What a user sees of it: any part of a name or version is found, also several parts in sequence (`rc.1` in
// `1.0.0-rc.1`, `node-sass` in `node-sass-glob-importer`), and any part of text in a script that is written without spaces.

/// A word of a document.
package struct SearchWord: Hashable, Sendable {
    package let text: String
    /// Counted from 0. A word that joins several parts has the place of its first part.
    package let place: Int

    package init(_ text: String, at place: Int) {
        self.text = text
        self.place = place
    }
}

/// What a query looks for in a document: one run of its text.
package struct SearchTerm: Hashable, Sendable {
    /// The document has all of these words.
    package let words: [String]
    /// The whole run: the word that the first version of the rules made of it.
    package let run: String

    package init(_ words: [String], run: String) {
        self.words = words
        self.run = run
    }
}

/// Text is folded in case (full Unicode case folding) and split into parts, which are runs of letters, digits and marks.
/// Hyphens and dots connect parts (`left-pad`, `1.2.3`). A document has each part as a word, and each sequence of two or
/// three connected parts. Text in a script that is written without spaces (Chinese, Japanese, Korean, Thai, …) connects to
/// nothing: a document has each of its characters as a word, and each pair of neighbors.
package enum SearchWords {
    /// The version of these rules, which a document's words carry. A change of the rules increments it and comes with a
    /// migration that makes the index `search_documents_outdated` anew; the worker then renews the words of all documents.
    package static let rules = 2
    /// In bytes. The rest of a document's text is not indexed.
    package static let textLimit = 128 * 1024
    /// In bytes: longer words are cut.
    static let wordLimit = 128
    /// How many connected parts make one word.
    private static let joinLimit = 3
    /// PostgreSQL stores at most 1 MiB for each document: the bytes of its words, and up to 6 bytes of overhead a word.
    private static let sizeLimit = 768 * 1024
    private static let overhead = 6

    /// The words of a document, in order. Words beyond the size limit are left out.
    package static func all(in text: some StringProtocol) -> [SearchWord] {
        var words: [SearchWord] = []
        var size = 0
        var place = 0
        func append(_ word: String) -> Bool {
            let word = self.cut(word)
            size += word.utf8.count + self.overhead
            guard size <= self.sizeLimit else { return false }
            words.append(SearchWord(word, at: place))
            return true
        }
        for run in self.runs(in: text) {
            for start in run.parts.indices {
                for end in start..<min(start + run.longestJoin, run.parts.count) {
                    guard append(run.joined(start...end)) else { return words }
                }
                place += 1
            }
        }
        return words
    }

    /// What a query looks for, each term once. Empty if the text has no letter and no digit.
    package static func terms(in text: some StringProtocol) -> [SearchTerm] {
        var seen: Set<[UInt8]> = []
        return self.runs(in: text).compactMap { run in
            let last = run.parts.count - 1
            let whole = self.cut(run.joined(0...last))
            guard seen.insert(Array(whole.utf8)).inserted else { return nil }
            let length = min(run.longestJoin, run.parts.count)
            let words = (0...(run.parts.count - length)).map { self.cut(run.joined($0...($0 + length - 1))) }
            return SearchTerm(words, run: whole)
        }
    }

    /// The single parts. Text in a script without spaces is not divided.
    static func parts(in text: some StringProtocol) -> [String] {
        self.runs(in: text).flatMap { run in
            run.isUnspaced ? [run.joined(0...(run.parts.count - 1))] : run.parts.map { String($0) }
        }
    }

    // MARK: - Runs

    /// Parts that belong together; never empty.
    private struct Run {
        var parts: [String.UnicodeScalarView] = []
        /// One between two parts.
        var connectors: [Unicode.Scalar] = []
        /// The parts are single characters of a script without spaces, and nothing connects them.
        var isUnspaced = false

        var longestJoin: Int { self.isUnspaced ? 2 : SearchWords.joinLimit }

        func joined(_ range: ClosedRange<Int>) -> String {
            var joined = self.parts[range.lowerBound]
            for index in range.dropFirst() {
                if !self.isUnspaced { joined.append(self.connectors[index - 1]) }
                joined.append(contentsOf: self.parts[index])
            }
            return String(joined)
        }
    }

    private static func runs(in text: some StringProtocol) -> [Run] {
        var runs: [Run] = []
        var run = Run()
        var part = String.UnicodeScalarView()
        var connector: Unicode.Scalar?
        func finish() {
            if !part.isEmpty { run.parts.append(part) }
            if !run.parts.isEmpty { runs.append(run) }
            run = Run()
            part = String.UnicodeScalarView()
            connector = nil
        }
        for scalar in self.folded(text).unicodeScalars {
            switch self.kind(of: scalar) {
            case .unspaced:
                if !run.isUnspaced {
                    finish()
                    run.isUnspaced = true
                }
                run.parts.append(String.UnicodeScalarView([scalar]))
            case .letter:
                if run.isUnspaced { finish() }
                if let separator = connector {
                    run.parts.append(part)
                    run.connectors.append(separator)
                    part = String.UnicodeScalarView()
                    connector = nil
                }
                part.append(scalar)
            case .mark where run.isUnspaced: run.parts.append(String.UnicodeScalarView([scalar]))
            case .mark where !part.isEmpty && connector == nil: part.append(scalar)
            case .connector where !part.isEmpty && connector == nil: connector = scalar
            case .connector, .mark, .other: finish()
            }
        }
        finish()
        return runs
    }

    private static func folded(_ text: some StringProtocol) -> String {
        // In upper case first: letters with several lower-case forms (σ, ς) have one upper-case form.
        text.utf8.allSatisfy { $0 < 0x80 } ? text.lowercased() : text.uppercased().lowercased()
    }

    private enum Kind { case letter, unspaced, mark, connector, other }

    private static func kind(of scalar: Unicode.Scalar) -> Kind {
        if scalar.isASCII {
            return switch scalar.value {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: .letter
            case 0x2D, 0x2E: .connector
            default: .other
            }
        }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: return .mark
        default:
            guard scalar.properties.isAlphabetic || scalar.properties.numericType != nil else { return .other }
            return self.isUnspaced(scalar) ? .unspaced : .letter
        }
    }

    /// By block, since Swift does not tell a character's script.
    private static func isUnspaced(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x0E00...0x0EFF,  // Thai, Lao
            0x1000...0x109F, 0x1780...0x17FF,  // Myanmar, Khmer
            0x1100...0x11FF, 0xA960...0xA97F, 0xAC00...0xD7FF,  // Hangul
            0x2E80...0x2FDF, 0x3005...0x3007, 0x3021...0x3029, 0x3031...0x3035, 0x3038...0x303C,  // Han: signs
            0x3040...0x31BF, 0x31F0...0x31FF,  // Kana, Bopomofo, Hangul compatibility letters
            0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF,  // Han
            0xA000...0xA4CF,  // Yi
            0xFF66...0xFFDC,  // half-width forms
            0x1AFF0...0x1B16F, 0x20000...0x3FFFF:  // Kana and Han, supplements
            true
        default: false
        }
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
