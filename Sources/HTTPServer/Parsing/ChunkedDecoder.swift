// An incremental, strict decoder of chunked bodies (RFC 9112, 7.1). It allocates nothing and copies nothing.

/// A decoder of one body. Chunk extensions follow the grammar without blanks and are ignored; trailers are validated
/// and discarded; both are bounded.
package struct ChunkedDecoder: ~Copyable, Sendable {
    package enum Step: Equatable, Sendable {
        /// All bytes have been consumed.
        case needsMore
        /// A part of the body.
        case data(Range<Int>)
        /// The body has ended; what follows is the next request.
        case complete
        case rejected(Rejection)
    }

    private enum State: UInt8 {
        case sizeStart, size, extensionName, extensionValue, quoted, quotedEscape, afterQuoted, sizeLineFeed
        case data, dataReturn, dataLineFeed
        case trailerStart, trailerName, trailerValue, trailerLineFeed, endLineFeed, complete
    }

    /// In bytes: of the extensions of one chunk, of all extensions of a body, of the trailer section.
    package static let extensionLimit = 256
    package static let extensionTotalLimit = 16 * 1024
    package static let trailerLimit = 8 * 1024

    private var state = State.sizeStart
    private var remaining = 0
    private var digits: UInt8 = 0
    private var hasElement = false
    private var extensionCount = 0
    private var extensionTotal = 0
    private var trailerCount = 0
    private var trailerName = FramingName()

    package init() {}

    package var isComplete: Bool { self.state == .complete }

    /// How many bytes of the body are known to follow at once; zero if a size line is next.
    package var knownRemaining: Int { self.state == .data ? self.remaining : 0 }

    /// Continues at `position`, which moves past what has been consumed.
    package mutating func next(_ bytes: Span<UInt8>, at position: inout Int) -> Step {
        do throws(Rejection) {
            return try self.advance(bytes, &position)
        } catch {
            return .rejected(error)
        }
    }

    private mutating func advance(_ bytes: Span<UInt8>, _ at: inout Int) throws(Rejection) -> Step {
        while at < bytes.count {
            let byte = bytes[at]
            switch self.state {
            case .sizeStart:
                guard let digit = byte.hexadecimalDigit else { throw .chunkMalformed }
                self.remaining = Int(digit)
                self.digits = 1
                self.extensionCount = 0
                self.state = .size
            case .size:
                if let digit = byte.hexadecimalDigit {
                    self.digits += 1
                    guard self.digits <= 16, self.remaining >> 59 == 0 else { throw .chunkMalformed }
                    self.remaining = self.remaining << 4 | Int(digit)
                } else {
                    if byte == 0x3B { try self.countExtension() }
                    try self.endElement(byte)
                }
            case .extensionName:
                try self.countExtension()
                if byte.isTokenByte {
                    self.hasElement = true
                } else if byte == 0x3D, self.hasElement {
                    self.state = .extensionValue
                    self.hasElement = false
                } else {
                    try self.endElement(byte)
                }
            case .extensionValue:
                try self.countExtension()
                if byte.isTokenByte {
                    self.hasElement = true
                } else if byte == 0x22, !self.hasElement {
                    self.state = .quoted
                } else {
                    try self.endElement(byte)
                }
            case .quoted:
                try self.countExtension()
                if byte == 0x22 {
                    self.state = .afterQuoted
                } else if byte == 0x5C {
                    self.state = .quotedEscape
                } else if !byte.isValueByte {
                    throw .chunkMalformed
                }
            case .quotedEscape:
                try self.countExtension()
                guard byte.isValueByte else { throw .chunkMalformed }
                self.state = .quoted
            case .afterQuoted:
                try self.countExtension()
                self.hasElement = true
                try self.endElement(byte)
            case .sizeLineFeed:
                guard byte == .lineFeed else { throw .chunkMalformed }
                self.state = self.remaining == 0 ? .trailerStart : .data
            case .data:
                // Not `at + remaining`, which overflows for a chunk of nearly `Int.max` bytes.
                let end = at + min(bytes.count - at, self.remaining)
                let part = at..<end
                self.remaining -= part.count
                if self.remaining == 0 { self.state = .dataReturn }
                at = end
                return .data(part)
            case .dataReturn:
                guard byte == .carriageReturn else { throw .chunkMalformed }
                self.state = .dataLineFeed
            case .dataLineFeed:
                guard byte == .lineFeed else { throw .chunkMalformed }
                self.state = .sizeStart
            case .trailerStart:
                if byte == .carriageReturn {
                    self.state = .endLineFeed
                } else {
                    guard byte.isTokenByte else { throw .trailerMalformed }
                    self.state = .trailerName
                    self.trailerName = FramingName()
                    self.trailerName.append(byte)
                    try self.countTrailer()
                }
            case .trailerName:
                try self.countTrailer()
                if byte == .colon {
                    // A receiver that merged it into the head would frame the message anew (RFC 9110, 6.5.1).
                    guard !self.trailerName.isFraming else { throw .trailerMalformed }
                    self.state = .trailerValue
                } else {
                    guard byte.isTokenByte else { throw .trailerMalformed }
                    self.trailerName.append(byte)
                }
            case .trailerValue:
                try self.countTrailer()
                if byte == .carriageReturn {
                    self.state = .trailerLineFeed
                } else {
                    guard byte.isValueByte else { throw .trailerMalformed }
                }
            case .trailerLineFeed:
                guard byte == .lineFeed else { throw .trailerMalformed }
                self.state = .trailerStart
            case .endLineFeed:
                guard byte == .lineFeed else { throw .trailerMalformed }
                at += 1
                self.state = .complete
                return .complete
            case .complete: return .complete
            }
            at += 1
        }
        return self.state == .complete ? .complete : .needsMore
    }

    /// What ends a size, an extension name or an extension value.
    private mutating func endElement(_ byte: UInt8) throws(Rejection) {
        guard self.state == .size || self.hasElement else { throw .chunkMalformed }
        switch byte {
        case .carriageReturn: self.state = .sizeLineFeed
        case 0x3B:
            self.state = .extensionName
            self.hasElement = false
        default: throw .chunkMalformed
        }
    }

    private mutating func countExtension() throws(Rejection) {
        self.extensionCount += 1
        self.extensionTotal += 1
        guard self.extensionCount <= Self.extensionLimit, self.extensionTotal <= Self.extensionTotalLimit else {
            throw .chunkExtensionTooLong
        }
    }

    private mutating func countTrailer() throws(Rejection) {
        self.trailerCount += 1
        guard self.trailerCount <= Self.trailerLimit else { throw .trailerTooLarge }
    }
}

/// Recognizes `content-length` and `transfer-encoding` byte by byte.
private struct FramingName {
    private var count = 0
    private var isLength = true
    private var isCoding = true

    private static let length: StaticString = "content-length"
    private static let coding: StaticString = "transfer-encoding"

    var isFraming: Bool {
        self.isLength && self.count == Self.length.utf8CodeUnitCount
            || self.isCoding && self.count == Self.coding.utf8CodeUnitCount
    }

    mutating func append(_ byte: UInt8) {
        self.isLength = self.isLength && Self.matches(Self.length, self.count, byte)
        self.isCoding = self.isCoding && Self.matches(Self.coding, self.count, byte)
        self.count += 1
    }

    private static func matches(_ text: StaticString, _ index: Int, _ byte: UInt8) -> Bool {
        guard index < text.utf8CodeUnitCount else { return false }
        return unsafe text.utf8Start[index] == byte.lowercasedByte
    }
}
