// Fuzzes ChunkedDecoder: the outcome does not depend on how the bytes arrive, and equals that of a second decoder,
// which is written for a whole body and in the simplest way (RFC 9112, 7.1).

func check(_ input: [UInt8]) {
    let expected = reference(input)
    for pieces in [max(1, input.count), 1, 2, 3, 7, 64] {
        let actual = outcome(of: input, pieces: pieces)
        expect(actual == expected, "expected \(expected), got \(actual) in pieces of \(pieces)")
    }
}

enum Outcome: Equatable {
    case needsMore
    /// The body, and how many bytes it took.
    case complete([UInt8], Int)
    case rejected
}

func outcome(of input: [UInt8], pieces: Int) -> Outcome {
    var decoder = ChunkedDecoder()
    var body: [UInt8] = []
    var start = 0
    while start < input.count {
        let part = Array(input[start..<min(input.count, start + pieces)])
        var position = 0
        while position < part.count || decoder.isComplete {
            let known = decoder.knownRemaining
            switch decoder.next(part.span, at: &position) {
            case .needsMore: expect(position == part.count, "bytes were left")
            case .data(let range):
                expect(!range.isEmpty && range.upperBound == position, "a part of the body")
                expect(known == 0 || range.count <= known, "a longer part than was known")
                body += part[range]
            case .complete: return .complete(body, start + position)
            case .rejected: return .rejected
            }
        }
        start += part.count
    }
    return .needsMore
}

// MARK: - The second decoder

let tokenBytes = Set("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)

struct Malformed: Error {}
struct Unfinished: Error {}

func reference(_ input: [UInt8]) -> Outcome {
    var reader = Reader(rest: input[...])
    do {
        var body: [UInt8] = []
        var extensions = 0
        while true {
            let size = try reader.size()
            try reader.extensions(&extensions)
            try reader.lineEnd()
            if size == 0 { break }
            body += try reader.data(size)
            try reader.lineEnd()
        }
        try reader.trailers()
        return .complete(body, reader.rest.startIndex)
    } catch is Unfinished {
        return .needsMore
    } catch {
        return .rejected
    }
}

struct Reader {
    var rest: ArraySlice<UInt8>

    func peek() throws -> UInt8 {
        guard let byte = self.rest.first else { throw Unfinished() }
        return byte
    }

    mutating func take(_ isAllowed: (UInt8) -> Bool) throws {
        guard isAllowed(try self.peek()) else { throw Malformed() }
        self.rest.removeFirst()
    }

    mutating func take(_ byte: UInt8) throws { try self.take { $0 == byte } }

    mutating func lineEnd() throws {
        try self.take(0x0D)
        try self.take(0x0A)
    }

    mutating func size() throws -> Int {
        var digits = ""
        while let byte = self.rest.first, let digit = Character(UnicodeScalar(byte)).hexDigitValue, byte < 0x80 {
            digits += String(digit, radix: 16)
            self.rest.removeFirst()
            if digits.count > 16 || Int(digits, radix: 16) == nil { throw Malformed() }
        }
        if digits.isEmpty {
            _ = try self.peek()
            throw Malformed()
        }
        guard let size = Int(digits, radix: 16) else { throw Malformed() }
        return size
    }

    /// `;name`, `;name=token`, `;name="quoted"`, without blanks.
    ///
    /// - Parameter total: bytes of extensions so far, in the whole body.
    mutating func extensions(_ total: inout Int) throws {
        let start = self.rest.startIndex
        // The byte that ends the last name or value is counted too, when there was an extension.
        let limit = start + min(ChunkedDecoder.extensionLimit, ChunkedDecoder.extensionTotalLimit - total)
        func check(_ reader: Reader) throws { if reader.rest.startIndex > limit { throw Malformed() } }
        var hasExtension = false
        while try self.peek() == 0x3B {
            hasExtension = true
            self.rest.removeFirst()
            try check(self)
            try self.token(check)
            guard try self.peek() == 0x3D else { continue }
            self.rest.removeFirst()
            try check(self)
            if try self.peek() == 0x22 {
                try self.quoted(check)
            } else {
                try self.token(check)
            }
        }
        if hasExtension {
            total += self.rest.startIndex - start + 1
            guard try self.peek() == 0x0D else { throw Malformed() }
            if self.rest.startIndex + 1 > limit { throw Malformed() }
        }
    }

    mutating func token(_ check: (Reader) throws -> Void) throws {
        try self.take(tokenBytes.contains)
        try check(self)
        while tokenBytes.contains(try self.peek()) {
            self.rest.removeFirst()
            try check(self)
        }
    }

    mutating func quoted(_ check: (Reader) throws -> Void) throws {
        let isText: (UInt8) -> Bool = { $0 == 0x09 || $0 >= 0x20 && $0 != 0x7F }
        try self.take(0x22)
        try check(self)
        while try self.peek() != 0x22 {
            if try self.peek() == 0x5C {
                self.rest.removeFirst()
                try check(self)
            }
            try self.take(isText)
            try check(self)
        }
        self.rest.removeFirst()
        try check(self)
    }

    mutating func data(_ size: Int) throws -> ArraySlice<UInt8> {
        guard self.rest.count >= size else { throw Unfinished() }
        defer { self.rest = self.rest.dropFirst(size) }
        return self.rest.prefix(size)
    }

    mutating func trailers() throws {
        var count = 0
        while try self.peek() != 0x0D {
            let start = self.rest.startIndex
            try self.take(tokenBytes.contains)
            while tokenBytes.contains(try self.peek()) {
                if count + self.rest.startIndex - start > ChunkedDecoder.trailerLimit { throw Malformed() }
                self.rest.removeFirst()
            }
            let name = String(decoding: self.rest.startIndex > start ? self.slice(from: start) : [], as: UTF8.self)
            try self.take(0x3A)
            if ["content-length", "transfer-encoding"].contains(name.lowercased()) { throw Malformed() }
            if count + self.rest.startIndex - start > ChunkedDecoder.trailerLimit { throw Malformed() }
            while try self.peek() != 0x0D {
                try self.take { $0 == 0x09 || $0 >= 0x20 && $0 != 0x7F }
                if count + self.rest.startIndex - start > ChunkedDecoder.trailerLimit { throw Malformed() }
            }
            // The CR is counted too, the LF is not.
            count += self.rest.startIndex - start + 1
            if count > ChunkedDecoder.trailerLimit { throw Malformed() }
            try self.lineEnd()
        }
        try self.lineEnd()
    }

    /// What has been taken since `start`.
    private func slice(from start: Int) -> [UInt8] { Array(self.whole[start..<self.rest.startIndex]) }

    let whole: [UInt8]

    init(rest: ArraySlice<UInt8>) {
        self.rest = rest
        self.whole = Array(rest)
    }
}
