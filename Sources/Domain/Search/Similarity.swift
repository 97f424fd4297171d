// How similar two names are, to find names that are mistyped: the measure of PostgreSQL's pg_trgm, so that both databases
// give the same results.

package enum Similarity {
    /// Names with at least this similarity are found.
    package static let threshold = 0.3

    /// From 0 to 1: the trigrams that both have, of all that either has.
    package static func of(_ left: String, _ right: String) -> Double {
        let (left, right) = (self.trigrams(of: left), self.trigrams(of: right))
        let all = left.union(right).count
        return all == 0 ? 0 : Double(left.intersection(right).count) / Double(all)
    }

    /// Of each word, with two blanks before and one behind it.
    private static func trigrams(of text: String) -> Set<Name> {
        var trigrams: Set<Name> = []
        for word in SearchWords.parts(in: text) {
            let padded = Array("  \(word) ".unicodeScalars)
            for start in 0...(padded.count - 3) {
                trigrams.insert(Name(String(String.UnicodeScalarView(padded[start..<start + 3]))))
            }
        }
        return trigrams
    }
}
