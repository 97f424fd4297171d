// "Did you mean …?": the allowed word that is closest to a mistyped one.

extension Collection<String> {
    /// The element that is nearest to `text`, in any case; nil where none is near.
    package func nearest(to text: String) -> String? {
        let nearest = self.map { (word: $0, distance: text.editDistance(to: $0)) }.min { $0.distance < $1.distance }
        guard let nearest, nearest.distance <= Swift.max(2, text.count / 4) else { return nil }
        return nearest.word
    }
}

extension String {
    /// Insertions, deletions and replacements from one text to the other, in any case (Levenshtein).
    fileprivate func editDistance(to other: String) -> Int {
        let (one, other) = (Array(self.lowercased()), Array(other.lowercased()))
        var row = Array(0...other.count)
        for (i, character) in one.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, counterpart) in other.enumerated() {
                let next = Swift.min(row[j] + 1, row[j + 1] + 1, diagonal + (character == counterpart ? 0 : 1))
                diagonal = row[j + 1]
                row[j + 1] = next
            }
        }
        return row[other.count]
    }
}
