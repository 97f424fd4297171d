// Finds secrets in text by the words in front of them. One pass; where text looks like a secret and is not one, too much is
// hidden rather than too little.

struct SecretScanner {
    private let bytes: [UInt8]
    /// Up to here the text has been looked at.
    private var index = 0
    /// Up to here it has been copied.
    private var copied = 0
    private var output: [UInt8] = []

    init(_ text: String) { self.bytes = Array(text.utf8) }

    /// - Returns: nil where there is nothing to hide.
    mutating func redacted() -> String? {
        while self.index < self.bytes.count {
            if let secret = self.secret() {
                if secret.lowerBound >= self.copied {
                    self.output += self.bytes[self.copied..<secret.lowerBound]
                    self.output += Redaction.mark.utf8
                }
                self.copied = max(self.copied, secret.upperBound)
                // The end of what was hidden may itself announce what follows.
                self.index = max(self.index + 1, secret.upperBound - 16)
            } else {
                self.index += 1
            }
        }
        guard self.copied > 0 else { return nil }
        return String(decoding: self.output + self.bytes[self.copied...], as: UTF8.self)
    }

    /// The secret that the word at `index` announces.
    private func secret() -> Range<Int>? {
        switch self.bytes[self.index] {
        case UInt8(ascii: "b"), UInt8(ascii: "B"): self.bearer()
        case UInt8(ascii: "p"), UInt8(ascii: "P"): self.assigned("password")
        case UInt8(ascii: "s"), UInt8(ascii: "S"): self.assigned("secret") ?? self.assigned("signature")
        case UInt8(ascii: "t"), UInt8(ascii: "T"): self.assigned("token")
        case UInt8(ascii: "a"), UInt8(ascii: "A"): self.token() ?? self.authorization()
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): self.member()
        case UInt8(ascii: "<"): self.element()
        case UInt8(ascii: ":"): self.userInformation()
        case UInt8(ascii: "-"): self.privateKey()
        default: nil
        }
    }

    // MARK: The kinds of secrets

    /// `Bearer TOKEN`.
    private func bearer() -> Range<Int>? {
        guard self.isWordStart, let end = self.after("bearer", at: self.index) else { return nil }
        let start = self.skippingBlanks(end)
        return start > end ? self.nonEmpty(start..<self.end(from: start) { $0.isTokenByte }) : nil
    }

    /// `password=VALUE`; the word may be the end of a longer one.
    private func assigned(_ word: String) -> Range<Int>? {
        guard let end = self.after(word, at: self.index) else { return nil }
        let sign = self.skippingBlanks(end)
        guard sign < self.bytes.count, self.bytes[sign] == UInt8(ascii: "=") else { return nil }
        let start = self.skippingBlanks(sign + 1)
        guard start < self.bytes.count else { return nil }
        let first = self.bytes[start]
        if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") {
            return self.nonEmpty(start + 1..<self.end(from: start + 1) { $0 != first })
        }
        return self.nonEmpty(start..<self.end(from: start) { !$0.endsAssignment })
    }

    /// `af_` and the 49 characters that follow in one of our tokens.
    private func token() -> Range<Int>? {
        guard self.isWordStart, let start = self.after("af_", at: self.index) else { return nil }
        let end = self.end(from: start) { $0.isAlphanumeric }
        return end - start >= 40 ? self.index..<end : nil
    }

    /// `Authorization: anything`, to the line's end.
    private func authorization() -> Range<Int>? {
        guard let end = self.after("authorization", at: self.index) else { return nil }
        let sign = self.skippingBlanks(end)
        guard sign < self.bytes.count, self.bytes[sign] == UInt8(ascii: ":") || self.bytes[sign] == UInt8(ascii: "=")
        else { return nil }
        let start = self.skippingBlanks(sign + 1)
        return self.nonEmpty(start..<self.end(from: start) { $0 != 0x0A && $0 != 0x0D })
    }

    /// A JSON member whose name hides its value, also where the document is itself quoted in a JSON string.
    private func member() -> Range<Int>? {
        guard let quote = self.quote(at: self.index) else { return nil }
        let nameStart = self.index + quote.count
        let nameEnd = self.end(from: nameStart) { $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
        guard nameEnd - nameStart <= 64, self.quote(at: nameEnd)?.count == quote.count else { return nil }
        let colon = self.skippingBlanks(nameEnd + quote.count)
        guard colon < self.bytes.count, self.bytes[colon] == UInt8(ascii: ":") else { return nil }
        let name = String(decoding: self.bytes[nameStart..<nameEnd], as: UTF8.self)
        guard Redaction.hides(key: name) || name.lowercased() == "samlresponse" else { return nil }
        let start = self.skippingBlanks(colon + 1)
        guard start < self.bytes.count else { return nil }
        if self.quote(at: start)?.count == quote.count {
            let textStart = start + quote.count
            return self.nonEmpty(textStart..<self.closingQuote(from: textStart, of: quote.count))
        }
        switch self.bytes[start] {
        case UInt8(ascii: "{"), UInt8(ascii: "["): return start..<self.closingBracket(from: start)
        default: return self.nonEmpty(start..<self.end(from: start) { !$0.endsScalar })
        }
    }

    /// What an assertion or an encrypted element of SAML holds.
    private func element() -> Range<Int>? {
        let nameStart = self.index + 1
        let nameEnd = self.end(from: nameStart) { $0.isAlphanumeric || $0 == UInt8(ascii: ":") }
        let name = self.bytes[nameStart..<nameEnd]
        let local = String(decoding: name.split(separator: UInt8(ascii: ":")).last ?? [], as: UTF8.self).lowercased()
        guard local == "assertion" || local.startsWithBytes(of: "encrypted") || local.startsWithBytes(of: "cipher")
        else { return nil }
        let tagEnd = self.end(from: nameEnd) { $0 != UInt8(ascii: ">") }
        guard tagEnd < self.bytes.count, self.bytes[tagEnd - 1] != UInt8(ascii: "/") else { return nil }
        let closing = [UInt8(ascii: "<"), UInt8(ascii: "/")] + name
        var end = tagEnd + 1
        while end < self.bytes.count, !self.bytes[end...].starts(with: closing) { end += 1 }
        return self.nonEmpty(tagEnd + 1..<end)
    }

    /// The password of `scheme://user:password@host`.
    private func userInformation() -> Range<Int>? {
        guard let start = self.after("://", at: self.index) else { return nil }
        let end = self.end(from: start) { !$0.endsAuthority }
        guard let at = self.bytes[start..<end].lastIndex(of: UInt8(ascii: "@")),
            let colon = self.bytes[start..<at].firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        return self.nonEmpty(colon + 1..<at)
    }

    /// A PEM private key, between its lines.
    private func privateKey() -> Range<Int>? {
        guard let label = self.after("-----BEGIN ", at: self.index) else { return nil }
        let labelEnd = self.end(from: label) { $0 != UInt8(ascii: "-") }
        guard String(decoding: self.bytes[label..<labelEnd], as: UTF8.self).contains("PRIVATE KEY") else { return nil }
        let start = self.end(from: labelEnd) { $0 == UInt8(ascii: "-") }
        return self.nonEmpty(start..<self.end(from: start) { $0 != UInt8(ascii: "-") })
    }

    // MARK: Looking ahead

    private var isWordStart: Bool { self.index == 0 || !self.bytes[self.index - 1].isAlphanumeric }

    /// Where the text goes on after `word`, in any letter case.
    private func after(_ word: String, at start: Int) -> Int? {
        let end = start + word.utf8.count
        guard end <= self.bytes.count,
            zip(self.bytes[start..<end], word.utf8).allSatisfy({ $0.lowercased == $1.lowercased })
        else { return nil }
        return end
    }

    private func end(from start: Int, while isWanted: (UInt8) -> Bool) -> Int {
        var end = start
        while end < self.bytes.count, isWanted(self.bytes[end]) { end += 1 }
        return end
    }

    private func skippingBlanks(_ start: Int) -> Int { self.end(from: start) { $0 == 0x20 || $0 == 0x09 } }

    private func nonEmpty(_ range: Range<Int>) -> Range<Int>? { range.isEmpty ? nil : range }

    /// A quotation mark with the backslashes that escape it.
    private func quote(at start: Int) -> Range<Int>? {
        let reach = self.bytes[start...].prefix(8)
        guard let mark = reach.firstIndex(where: { $0 != UInt8(ascii: "\\") }), self.bytes[mark] == UInt8(ascii: "\"")
        else { return nil }
        return start..<mark + 1
    }

    /// Where the quotation mark stands that ends a string whose marks are `length` bytes long; one that is escaped
    /// further is longer.
    private func closingQuote(from start: Int, of length: Int) -> Int {
        var index = start
        while index < self.bytes.count {
            if let quote = self.quote(at: index) {
                // Full pairs of backslashes before the mark are backslashes of the text.
                if quote.count == length || length == 1 && quote.count % 2 == 1 {
                    return quote.upperBound - length
                }
                index = quote.upperBound
            } else {
                index += 1
            }
        }
        return self.bytes.count
    }

    /// The end of an object or array, or of the text.
    private func closingBracket(from start: Int) -> Int {
        var (depth, isQuoted, index) = (0, false, start)
        while index < self.bytes.count {
            switch self.bytes[index] {
            case UInt8(ascii: "\\") where isQuoted: index += 1
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: "{") where !isQuoted, UInt8(ascii: "[") where !isQuoted: depth += 1
            case UInt8(ascii: "}") where !isQuoted, UInt8(ascii: "]") where !isQuoted:
                depth -= 1
                if depth == 0 { return index + 1 }
            default: break
            }
            index += 1
        }
        return self.bytes.count
    }
}

extension UInt8 {
    fileprivate var lowercased: UInt8 { (0x41...0x5A).contains(self) ? self | 0x20 : self }

    fileprivate var isAlphanumeric: Bool {
        (0x30...0x39).contains(self) || (0x61...0x7A).contains(self.lowercased)
    }

    /// RFC 6750, 2.1.
    fileprivate var isTokenByte: Bool { self.isAlphanumeric || "-._~+/=".utf8.contains(self) }

    fileprivate var endsAssignment: Bool { self <= 0x20 || "&;,\"'<>)]}\\".utf8.contains(self) }

    fileprivate var endsScalar: Bool { self <= 0x20 || ",}]".utf8.contains(self) }

    fileprivate var endsAuthority: Bool { self <= 0x20 || "/?#\"'<>".utf8.contains(self) }
}
