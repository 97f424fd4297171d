// Maven's versions. Rules: maven.apache.org, POM reference, "Version Order Specification".

/// A version as a sequence of tokens, each with the separator before it.
package struct MavenVersion: Hashable, Sendable {
    enum Token: Hashable, Sendable {
        /// `-5`
        case hyphenNumber(Decimal)
        /// `.5`
        case dotNumber(Decimal)
        /// A word, whatever stands before it.
        case qualifier(Qualifier)

        /// Whether it says nothing at the end of a part.
        var isNull: Bool {
            switch self {
            case .hyphenNumber(let number), .dotNumber(let number): number.isZero
            case .qualifier(let qualifier): qualifier == .release
            }
        }

        fileprivate var isHyphenated: Bool { if case .dotNumber = self { false } else { true } }
    }

    /// In this order.
    enum Qualifier: Hashable, Comparable, Sendable {
        case alpha, beta, milestone, candidate, snapshot, release, servicePack
        case other(String)

        init(_ word: String, beforeNumber: Bool) {
            switch word {
            case "alpha": self = .alpha
            case "a" where beforeNumber: self = .alpha
            case "beta": self = .beta
            case "b" where beforeNumber: self = .beta
            case "milestone": self = .milestone
            case "m" where beforeNumber: self = .milestone
            case "rc", "cr": self = .candidate
            case "snapshot": self = .snapshot
            case "", "final", "ga", "release": self = .release
            case "sp": self = .servicePack
            default: self = .other(word)
            }
        }
    }

    /// Trimmed.
    let tokens: [Token]

    /// Nil for a text that is not ASCII.
    package init?(_ text: String) {
        let text = Array(text.lowercased().utf8)
        guard text.allSatisfy({ (0x20..<0x7F).contains($0) }) else { return nil }
        var tokens: [Token] = []
        var index = 0
        var isHyphenated = false
        while index < text.count {
            let start = index
            let isNumber = Self.isDigit(text[index])
            while index < text.count, !Self.isSeparator(text[index]), Self.isDigit(text[index]) == isNumber {
                index += 1
            }
            let word = String(decoding: text[start..<index], as: UTF8.self)
            if let number = word.isEmpty ? .zero : Decimal(word) {
                tokens.append(isHyphenated ? .hyphenNumber(number) : .dotNumber(number))
            } else {
                let isBeforeNumber = index < text.count && Self.isDigit(text[index])
                tokens.append(.qualifier(Qualifier(word, beforeNumber: isBeforeNumber)))
            }
            isHyphenated = true  // a change between digits and letters counts as a hyphen
            if index < text.count, Self.isSeparator(text[index]) {
                isHyphenated = text[index] != UInt8(ascii: ".")
                index += 1
            }
        }
        self.tokens = Self.trimmed(tokens)
    }

    /// Without the tokens that say nothing, at the end and before each hyphen.
    private static func trimmed(_ tokens: [Token]) -> [Token] {
        var kept: [Token] = []
        for token in tokens.reversed() {
            if token.isNull, kept.last?.isHyphenated ?? true { continue }
            kept.append(token)
        }
        return kept.reversed()
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    package var sortKey: [UInt8] {
        var key = SortKey.readable
        for token in self.tokens {
            switch token {
            case .qualifier(.alpha): key.append(mark: 0x10)
            case .qualifier(.beta): key.append(mark: 0x11)
            case .qualifier(.milestone): key.append(mark: 0x12)
            case .qualifier(.candidate): key.append(mark: 0x13)
            case .qualifier(.snapshot): key.append(mark: 0x14)
            // Here a version ends: 0x40. What follows makes the greater one.
            case .qualifier(.release): key.append(mark: 0x41)
            case .qualifier(.servicePack): key.append(mark: 0x50)
            case .qualifier(.other(let word)):
                key.append(mark: 0x51)
                key.append(word)
            case .hyphenNumber(let number):
                key.append(mark: 0x60)
                key.append(number)
            case .dotNumber(let number):
                key.append(mark: 0x70)
                key.append(number)
            }
        }
        key.append(mark: 0x40)
        return key.bytes
    }
}

extension MavenVersion: Comparable {
    /// Token by token, the shorter one filled with tokens that say nothing.
    package static func < (left: Self, right: Self) -> Bool {
        for index in 0..<max(left.tokens.count, right.tokens.count) {
            let order =
                switch (index < left.tokens.count, index < right.tokens.count) {
                case (true, true): Self.order(left.tokens[index], right.tokens[index])
                case (true, false): Self.order(ofNull: left.tokens[index])
                case (false, _): -Self.order(ofNull: right.tokens[index])
                }
            if order != 0 { return order < 0 }
        }
        return false
    }

    private static func order(_ left: Token, _ right: Token) -> Int {
        switch (left, right) {
        case (.qualifier(let one), .qualifier(let other)): one < other ? -1 : one == other ? 0 : 1
        case (.hyphenNumber(let one), .hyphenNumber(let other)), (.dotNumber(let one), .dotNumber(let other)):
            one < other ? -1 : one == other ? 0 : 1
        case (.qualifier, _), (.hyphenNumber, .dotNumber): -1
        case (_, .qualifier), (.dotNumber, .hyphenNumber): 1
        }
    }

    /// How a token compares with nothing: with zero after a dot, with no qualifier after a hyphen.
    private static func order(ofNull token: Token) -> Int {
        switch token {
        case .dotNumber(let number): number.isZero ? 0 : 1
        case .hyphenNumber: 1
        case .qualifier(let qualifier): qualifier < .release ? -1 : qualifier == .release ? 0 : 1
        }
    }
}
