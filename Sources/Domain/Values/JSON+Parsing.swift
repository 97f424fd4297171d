// Reading JSON text (RFC 8259), strictly, with limits on depth and on the number of values. It works on bytes: nothing is
// copied but the texts that are kept. A repeated name is kept, so that the last can win.

extension JSON {
    /// Where and why a text is not a JSON document.
    package struct SyntaxError: Error, Hashable, CustomStringConvertible {
        /// In bytes.
        package let offset: Int
        package let problem: String

        package var description: String { "\(self.problem) at byte \(self.offset)" }
    }

    /// How many values a document from outside may have. With it, a document of any size takes at most a few MiB beside
    /// its texts.
    package static let valueLimit = 100_000

    /// Reads one document.
    ///
    /// - Parameters:
    ///   - depthLimit: how deep arrays and objects may be nested.
    ///   - valueLimit: how many values the document may have: elements and members, at every depth.
    package init(
        parsing bytes: [UInt8], depthLimit: Int = 64, valueLimit: Int = .max
    ) throws(SyntaxError) {
        do {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            throw SyntaxError(offset: error.byteOffsets.lowerBound, problem: "the text is not UTF-8")
        }
        var parser = JSONParser(bytes: bytes, depthLimit: depthLimit, valueLimit: valueLimit)
        self = try parser.document()
    }

    package init(parsing text: String, depthLimit: Int = 64) throws(SyntaxError) {
        try self.init(parsing: Array(text.utf8), depthLimit: depthLimit)
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    let depthLimit: Int
    let valueLimit: Int
    var index = 0
    private var values = 0

    init(bytes: [UInt8], depthLimit: Int, valueLimit: Int) {
        self.bytes = bytes
        self.depthLimit = depthLimit
        self.valueLimit = valueLimit
    }

    mutating func document() throws(JSON.SyntaxError) -> JSON {
        let value = try self.value(depth: 0)
        self.skipBlanks()
        guard self.index == self.bytes.count else { throw self.error("unexpected text after the document") }
        return value
    }

    private var next: UInt8? { self.index < self.bytes.count ? self.bytes[self.index] : nil }

    private func error(_ problem: String) -> JSON.SyntaxError { .init(offset: self.index, problem: problem) }

    private mutating func skipBlanks() {
        while let byte = self.next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { self.index += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard self.next == UInt8(ascii: character) else { return false }
        self.index += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSON.SyntaxError) -> JSON {
        guard depth <= self.depthLimit else { throw self.error("more than \(self.depthLimit) levels") }
        self.values += 1
        guard self.values <= self.valueLimit else { throw self.error("more than \(self.valueLimit) values") }
        self.skipBlanks()
        switch self.next {
        case UInt8(ascii: "{"): return try self.object(depth: depth)
        case UInt8(ascii: "["): return try self.array(depth: depth)
        case UInt8(ascii: "\""): return .string(try self.string())
        case UInt8(ascii: "t"): return try self.word("true", .bool(true))
        case UInt8(ascii: "f"): return try self.word("false", .bool(false))
        case UInt8(ascii: "n"): return try self.word("null", .null)
        case UInt8(ascii: "-")?, (0x30...0x39)?: return try self.number()
        case nil: throw self.error("unexpected end")
        default: throw self.error("unexpected character")
        }
    }

    private mutating func word(_ word: String, _ value: JSON) throws(JSON.SyntaxError) -> JSON {
        guard self.bytes[self.index...].starts(with: word.utf8) else { throw self.error("unexpected character") }
        self.index += word.utf8.count
        return value
    }

    private mutating func object(depth: Int) throws(JSON.SyntaxError) -> JSON {
        self.index += 1
        var members: [JSON.Member] = []
        self.skipBlanks()
        if self.take("}") { return .object([]) }
        while true {
            self.skipBlanks()
            guard self.next == UInt8(ascii: "\"") else { throw self.error("expected a property name") }
            let name = try self.string()
            self.skipBlanks()
            guard self.take(":") else { throw self.error("expected ':'") }
            members.append(JSON.Member(name, try self.value(depth: depth + 1)))
            self.skipBlanks()
            if self.take(",") { continue }
            guard self.take("}") else { throw self.error("expected ',' or '}'") }
            return .object(members)
        }
    }

    private mutating func array(depth: Int) throws(JSON.SyntaxError) -> JSON {
        self.index += 1
        var elements: [JSON] = []
        self.skipBlanks()
        if self.take("]") { return .array([]) }
        while true {
            elements.append(try self.value(depth: depth + 1))
            self.skipBlanks()
            if self.take(",") { continue }
            guard self.take("]") else { throw self.error("expected ',' or ']'") }
            return .array(elements)
        }
    }

    private mutating func number() throws(JSON.SyntaxError) -> JSON {
        let start = self.index
        _ = self.take("-")
        if !self.take("0") { guard self.digits() > 0 else { throw self.error("expected a digit") } }
        var isInteger = true
        if self.take(".") {
            isInteger = false
            guard self.digits() > 0 else { throw self.error("expected a digit") }
        }
        if self.take("e") || self.take("E") {
            isInteger = false
            if !self.take("+") { _ = self.take("-") }
            guard self.digits() > 0 else { throw self.error("expected a digit") }
        }
        if isInteger, let value = self.integer(start..<self.index) { return .integer(value) }
        return .number(String(decoding: self.bytes[start..<self.index], as: UTF8.self))
    }

    /// Nil if it has more than 64 bits.
    private func integer(_ range: Range<Int>) -> Int64? {
        let isNegative = self.bytes[range.lowerBound] == UInt8(ascii: "-")
        var value: Int64 = 0
        for index in (isNegative ? range.lowerBound + 1 : range.lowerBound)..<range.upperBound {
            let (product, overflows) = value.multipliedReportingOverflow(by: 10)
            let digit = Int64(self.bytes[index] - UInt8(ascii: "0"))
            let (sum, exceeds) = product.subtractingReportingOverflow(digit)
            if overflows || exceeds { return nil }
            value = sum
        }
        if isNegative { return value }
        return value == .min ? nil : -value
    }

    private mutating func digits() -> Int {
        let start = self.index
        while let byte = self.next, (0x30...0x39).contains(byte) { self.index += 1 }
        return self.index - start
    }

    /// Most texts have no escape, and are taken as they are.
    private mutating func string() throws(JSON.SyntaxError) -> String {
        self.index += 1
        let start = self.index
        while let byte = self.next {
            switch byte {
            case UInt8(ascii: "\""):
                defer { self.index += 1 }
                return String(decoding: self.bytes[start..<self.index], as: UTF8.self)
            case UInt8(ascii: "\\"): return try self.escapedString(Array(self.bytes[start..<self.index]))
            case 0..<0x20: throw self.error("unescaped control character")
            default: self.index += 1
            }
        }
        throw self.error("unexpected end")
    }

    /// - Parameter beginning: what is before the first escape.
    private mutating func escapedString(_ beginning: [UInt8]) throws(JSON.SyntaxError) -> String {
        var text = beginning
        while let byte = self.next {
            switch byte {
            case UInt8(ascii: "\""):
                self.index += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                self.index += 1
                try self.escape(into: &text)
            case 0..<0x20: throw self.error("unescaped control character")
            default:
                text.append(byte)
                self.index += 1
            }
        }
        throw self.error("unexpected end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSON.SyntaxError) {
        guard let byte = self.next else { throw self.error("unexpected end") }
        self.index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var code = try self.unit()
            if (0xD800..<0xDC00).contains(code) {
                guard self.take("\\"), self.take("u") else { throw self.error("half a surrogate pair") }
                let low = try self.unit()
                guard (0xDC00..<0xE000).contains(low) else { throw self.error("half a surrogate pair") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw self.error("half a surrogate pair") }
            text += Array(String(scalar).utf8)
        default: throw self.error("unknown escape")
        }
    }

    private mutating func unit() throws(JSON.SyntaxError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = self.next?.hexDigitValue else { throw self.error("expected four hexadecimal digits") }
            code = code << 4 | UInt32(digit)
            self.index += 1
        }
        return code
    }
}
