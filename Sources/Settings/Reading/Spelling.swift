// A setting's three spellings: `auth.oidc.jwksUrl`, `ARTIFORTRESS_AUTH_OIDC_JWKS_URL`, `--auth.oidc.jwks-url`.

enum Spelling {
    static let prefix = "ARTIFORTRESS_"

    /// The environment variable of a key.
    static func variable(_ key: String) -> String {
        Self.prefix + Self.words(key, joinedBy: "_", parts: "_").uppercased()
    }

    /// The flag of a key, without its dashes.
    static func flag(_ key: String) -> String { Self.words(key, joinedBy: "-", parts: ".") }

    private static func words(_ key: String, joinedBy mark: Character, parts: Character) -> String {
        var text = ""
        for character in key {
            if character == "." {
                text.append(parts)
            } else {
                if character.isUppercase { text.append(mark) }
                text += character.lowercased()
            }
        }
        return text
    }

    /// The nearest of `names`, as ` Did you mean 'x'?`, or nothing where none is near.
    static func suggestion(for text: String, among names: [String]) -> String {
        let nearest = names.map { (name: $0, distance: Self.distance(text, $0)) }.min { $0.distance < $1.distance }
        guard let nearest, nearest.distance <= max(2, text.count / 4) else { return "" }
        return " (did you mean \(nearest.name)?)"
    }

    /// Insertions, deletions and replacements from one text to the other (Levenshtein).
    private static func distance(_ one: String, _ other: String) -> Int {
        let (one, other) = (Array(one.lowercased()), Array(other.lowercased()))
        var row = Array(0...other.count)
        for (i, character) in one.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, counterpart) in other.enumerated() {
                let next = min(row[j] + 1, row[j + 1] + 1, diagonal + (character == counterpart ? 0 : 1))
                diagonal = row[j + 1]
                row[j + 1] = next
            }
        }
        return row[other.count]
    }
}
