// Which licenses a manifest names. Expressions: SPDX specification, annex D ("OR" is the publisher's offer to choose).

/// A license expression, read far enough to know what has to be allowed.
package indirect enum LicenseExpression: Hashable, Sendable {
    /// One license, with its exception if it has one.
    case license(String)
    /// One of them is enough.
    case any([LicenseExpression])
    /// All of them hold.
    case all([LicenseExpression])

    /// Parentheses may be nested this deep.
    private static let depth = 16

    /// - Returns: nil for an expression that is none.
    package init?(parsing text: String) {
        guard text.utf8.count <= 1024 else { return nil }
        let spaced = text.unicodeScalars.reduce(into: "") { spaced, scalar in
            spaced += scalar == "(" || scalar == ")" ? " \(scalar) " : String(scalar)
        }
        var words = spaced.unicodeScalars.split { $0.properties.isWhitespace }.map { String($0) }[...]
        guard let expression = Self.alternatives(&words, Self.depth), words.isEmpty else { return nil }
        self = expression
    }

    private static func alternatives(_ words: inout ArraySlice<String>, _ depth: Int) -> LicenseExpression? {
        self.chain(&words, by: "or", depth, of: self.conjunction).map { $0.count == 1 ? $0[0] : .any($0) }
    }

    private static func conjunction(_ words: inout ArraySlice<String>, _ depth: Int) -> LicenseExpression? {
        self.chain(&words, by: "and", depth, of: self.term).map { $0.count == 1 ? $0[0] : .all($0) }
    }

    private static func chain(
        _ words: inout ArraySlice<String>, by word: String, _ depth: Int,
        of part: (inout ArraySlice<String>, Int) -> LicenseExpression?
    ) -> [LicenseExpression]? {
        guard let first = part(&words, depth) else { return nil }
        var parts = [first]
        while words.first?.lowercased() == word {
            words.removeFirst()
            guard let next = part(&words, depth) else { return nil }
            parts.append(next)
        }
        return parts
    }

    private static func term(_ words: inout ArraySlice<String>, _ depth: Int) -> LicenseExpression? {
        guard depth > 0, let word = words.popFirst() else { return nil }
        if word == "(" {
            let inner = self.alternatives(&words, depth - 1)
            return words.popFirst() == ")" ? inner : nil
        }
        guard word != ")", !["or", "and", "with"].contains(word.lowercased()) else { return nil }
        guard words.first?.lowercased() == "with" else { return .license(word) }
        words.removeFirst()
        return words.popFirst().map { .license("\(word) WITH \($0)") }
    }

    /// Why it is not allowed; nil where it is. Licenses are compared in lower case.
    package func objection(_ allowance: Allowance) -> String? {
        switch self {
        case .license(let name): Self.objection(allowance, to: name).map { "'\(name)' \($0)" }
        case .all(let parts): parts.lazy.compactMap { $0.objection(allowance) }.first
        case .any(let parts):
            parts.contains { $0.objection(allowance) == nil }
                ? nil : parts.lazy.compactMap { $0.objection(allowance) }.first
        }
    }
}

extension LicenseExpression {
    /// A denial of a license holds for it with an exception too, and for a text that merely has it as a word.
    private static func objection(_ allowance: Allowance, to name: String) -> String? {
        let name = name.lowercased()
        let words = name.unicodeScalars.split { $0.properties.isWhitespace || "(),;/|".unicodeScalars.contains($0) }
            .map { String($0) }
        if words.count > 1, let word = words.first(where: { allowance.denies($0) }) {
            return "has '\(word)', which is denied"
        }
        return allowance.objection(to: name)
    }

    /// The licenses that a manifest names, as its format writes them: `license` or `licenses`; a text, an object that
    /// has it as `type`, `name`, `id` or `expression`, or a list of these.
    ///
    /// - Returns: each once, in their order; nil where there are too many, or they stand too deep.
    package static func texts(in manifest: JSON) -> [String]? {
        var found: [String] = []
        for name in ["license", "licenses"] {
            guard let value = manifest[name] else { continue }
            guard self.collect(value, depth: 4, into: &found) else { return nil }
        }
        return found
    }

    /// How many a manifest may name.
    private static let countLimit = 100
    /// In bytes: of one.
    private static let lengthLimit = 1024

    private static func collect(_ value: JSON, depth: Int, into found: inout [String]) -> Bool {
        switch value {
        case .null, .bool, .integer, .number: return true
        case .string(let text):
            guard let text = text.trimmedOrNil, !found.contains(where: { $0.hasSameBytes(as: text) }) else {
                return true
            }
            guard found.count < self.countLimit, text.utf8.count <= self.lengthLimit else { return false }
            found.append(text)
            return true
        case .array(let elements):
            return depth > 0 && elements.allSatisfy { self.collect($0, depth: depth - 1, into: &found) }
        case .object:
            guard depth > 0 else { return false }
            for name in ["expression", "id", "type", "name", "license"] {
                guard let inner = value[name] else { continue }
                let count = found.count
                guard self.collect(inner, depth: depth - 1, into: &found) else { return false }
                if found.count > count { break }
            }
            return true
        }
    }
}
