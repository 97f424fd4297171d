// Semantic versions: npm, Cargo, Swift; and NuGet's dialect of them. Rules: semver.org 2.0.0, items 2 to 11; NuGet:
// learn.microsoft.com, "Package versioning" (a fourth number, missing numbers are zero, labels without regard to case).

/// A version's precedence: what is after `+` does not count.
package struct SemanticVersion: Hashable, Comparable, Sendable {
    package enum Label: Hashable, Comparable, Sendable {
        // In this order: numbers come before words.
        case number(Decimal)
        case word(String)
    }

    /// Major, minor, patch; in NuGet also revision.
    package let numbers: [Decimal]
    /// Empty for a release.
    package let labels: [Label]

    package var isPrerelease: Bool { !self.labels.isEmpty }

    /// Strict, but for a leading `v` or `=`, which npm tolerates.
    package init?(_ text: String) {
        let text = text.first == "v" || text.first == "=" ? text.dropFirst() : text[...]
        self.init(text, counts: 3...3, foldsCase: false)
    }

    /// In NuGet's dialect.
    package init?(nuget text: String) { self.init(text[...], counts: 1...4, foldsCase: true) }

    private init?(_ text: Substring, counts: ClosedRange<Int>, foldsCase: Bool) {
        let parts = text.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, !Self.areIdentifiers(parts[1]) { return nil }
        let core = parts[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        var numbers: [Decimal] = []
        for part in core[0].split(separator: ".", omittingEmptySubsequences: false) {
            guard let number = Decimal(part) else { return nil }
            numbers.append(number)
        }
        guard counts.contains(numbers.count) else { return nil }
        while numbers.count < counts.upperBound { numbers.append(.zero) }
        var labels: [Label] = []
        if core.count == 2 {
            guard Self.areIdentifiers(core[1]) else { return nil }
            for part in core[1].split(separator: ".") {
                labels.append(Decimal(part).map(Label.number) ?? .word(foldsCase ? part.uppercased() : String(part)))
            }
        }
        self.numbers = numbers
        self.labels = labels
    }

    private static func areIdentifiers(_ text: Substring) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty
                && part.utf8.allSatisfy { byte in
                    switch byte {
                    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D: true
                    default: false
                    }
                }
        }
    }

    package static func < (left: Self, right: Self) -> Bool {
        if left.numbers != right.numbers { return left.numbers.lexicographicallyPrecedes(right.numbers) }
        if left.isPrerelease != right.isPrerelease { return left.isPrerelease }
        return left.labels.lexicographicallyPrecedes(right.labels)
    }

    package var sortKey: [UInt8] {
        var key = SortKey.readable
        for number in self.numbers { key.append(number) }
        guard self.isPrerelease else {
            key.append(mark: 0xFF)
            return key.bytes
        }
        for label in self.labels {
            switch label {
            case .number(let number):
                key.append(mark: 1)
                key.append(number)
            case .word(let word):
                key.append(mark: 2)
                key.append(word)
            }
        }
        key.append(mark: 0)
        return key.bytes
    }
}
