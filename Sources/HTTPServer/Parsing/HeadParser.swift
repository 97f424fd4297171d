// An incremental, strict parser of request heads (RFC 9112, 2 to 5). It allocates nothing and keeps no bytes: the
// caller shows it the same bytes again, with more at the end, until it answers.

/// A parser of one head at a time. The outcome does not depend on how the bytes are split over calls.
package struct HeadParser: ~Copyable, Sendable {
    package struct Limits: Sendable {
        /// In bytes, of the request target: 414 beyond it.
        package var target = 8 * 1024
        /// In bytes, of the whole head: 431 beyond it. At most 65,535.
        package var head = 32 * 1024

        package init() {}
    }

    package enum Step: Equatable, Sendable {
        case needsMore
        /// `head` is valid.
        case complete
        case rejected(Rejection)
    }

    private enum State: UInt8 {
        case start, startLineFeed, method, target, version, requestLineFeed
        case fieldStart, name, beforeValue, value, fieldLineFeed, endLineFeed
    }

    package private(set) var head = Head()
    package private(set) var limits: Limits
    private var state = State.start
    private var position = 0
    /// Where the present element begins.
    private var mark = 0
    private var methodBytes: UInt64 = 0
    private var isMethodKnown = true
    private var fieldName = Slice(0..<0)
    private var valueEnd = 0

    package init(limits: Limits = Limits()) {
        self.head.makeRoom()
        self.limits = limits
        self.limits.head = min(limits.head, Int(UInt16.max))
    }

    /// Whether nothing of a request has been seen.
    package var isIdle: Bool { self.position == 0 }

    /// Prepares for the next request, whose first byte is the first one shown next.
    package mutating func reset() {
        self.state = .start
        self.position = 0
        self.head.fieldCount = 0
        self.head.present = 0
    }

    /// Gives the memory for fields back, after `reset`; the next head allocates it again.
    mutating func shrink() { self.head.fields = [] }

    /// Continues with what has arrived: all bytes of the request so far.
    package mutating func advance(_ bytes: Span<UInt8>) -> Step {
        if self.position == 0, self.head.fields.isEmpty { self.head.makeRoom() }
        do throws(Rejection) {
            guard try self.scan(bytes) else {
                if self.position >= self.limits.head { throw .headTooLarge }
                return .needsMore
            }
            try self.head.validate(bytes)
            return .complete
        } catch {
            return .rejected(error)
        }
    }

    /// - Returns: whether the head is complete.
    private mutating func scan(_ bytes: Span<UInt8>) throws(Rejection) -> Bool {
        var at = self.position
        let end = min(bytes.count, self.limits.head)
        defer { self.position = at }
        while at < end {
            switch self.state {
            case .start:
                // One empty line before the request line is allowed.
                if at == 0, bytes[at] == .carriageReturn {
                    self.state = .startLineFeed
                    at &+= 1
                } else {
                    self.begin(.method, at)
                    self.methodBytes = 0
                }
            case .startLineFeed:
                guard bytes[at] == .lineFeed else { throw .bareCarriageReturn }
                self.state = .start
                at &+= 1
            case .method:
                var packed = self.methodBytes
                while at < end, bytes[at].isTokenByte {
                    packed = packed &<< 8 | UInt64(bytes[at])
                    at &+= 1
                }
                self.methodBytes = packed
                guard at &- self.mark <= 32 else { throw .methodNotImplemented }
                guard at < end else { break }
                guard bytes[at] == .space, at > self.mark else {
                    throw Self.lineFault(bytes[at], .requestLineMalformed)
                }
                let count = at &- self.mark
                let method = Method(packed: self.methodBytes, count: count)
                // An unknown method is reported after the rest of the line has been found well-formed.
                self.isMethodKnown = method != nil
                self.head.method = method ?? .get
                at &+= 1
                self.begin(.target, at)
            case .target:
                while at < end, bytes[at].isTargetByte { at &+= 1 }
                guard at &- self.mark <= self.limits.target else { throw .targetTooLong }
                guard at < end else { break }
                guard bytes[at] == .space, at > self.mark else { throw Self.lineFault(bytes[at], .targetMalformed) }
                self.head.target = Slice(self.mark..<at)
                at &+= 1
                self.begin(.version, at)
            case .version:
                while at < end, at &- self.mark < 8 {
                    guard Self.isVersion(bytes[at], at: at &- self.mark) else {
                        throw Self.lineFault(bytes[at], .versionMalformed)
                    }
                    at &+= 1
                }
                guard at < end else { break }
                guard bytes[at] == .carriageReturn else { throw Self.lineFault(bytes[at], .versionMalformed) }
                let major = bytes[at &- 3]
                let minor = bytes[at &- 1]
                guard major == 0x31, minor == 0x30 || minor == 0x31 else { throw .versionNotSupported }
                self.head.isHTTP11 = minor == 0x31
                self.state = .requestLineFeed
                at &+= 1
            case .requestLineFeed:
                guard bytes[at] == .lineFeed else { throw .bareCarriageReturn }
                guard self.isMethodKnown else { throw .methodNotImplemented }
                self.state = .fieldStart
                at &+= 1
            case .fieldStart:
                if bytes[at] == .carriageReturn {
                    self.state = .endLineFeed
                    at &+= 1
                } else if bytes[at].isBlank {
                    throw .foldedField
                } else {
                    guard self.head.fieldCount < Head.fieldLimit else { throw .tooManyFields }
                    self.begin(.name, at)
                }
            case .name:
                while at < end, bytes[at].isTokenByte { at &+= 1 }
                guard at < end else { break }
                guard bytes[at] == .colon, at > self.mark else { throw Self.lineFault(bytes[at], .fieldNameMalformed) }
                self.fieldName = Slice(self.mark..<at)
                at &+= 1
                self.begin(.beforeValue, at)
            case .beforeValue:
                while at < end, bytes[at].isBlank { at &+= 1 }
                guard at < end else { break }
                self.begin(.value, at)
                self.valueEnd = at
            case .value:
                while at < end, bytes[at].isValueByte { at &+= 1 }
                guard at < end else { break }
                guard bytes[at] == .carriageReturn else { throw Self.lineFault(bytes[at], .fieldValueMalformed) }
                self.append(bytes, valueEnd: at)
                self.state = .fieldLineFeed
                at &+= 1
            case .fieldLineFeed:
                guard bytes[at] == .lineFeed else { throw .bareCarriageReturn }
                self.state = .fieldStart
                at &+= 1
            case .endLineFeed:
                guard bytes[at] == .lineFeed else { throw .bareCarriageReturn }
                at &+= 1
                self.head.length = at
                return true
            }
        }
        return false
    }

    @inline(__always) private mutating func begin(_ state: State, _ at: Int) {
        self.state = state
        self.mark = at
    }

    /// Adds the field whose value ends before `end`, without the blanks there.
    @inline(__always) private mutating func append(_ bytes: Span<UInt8>, valueEnd: Int) {
        var end = valueEnd
        while end > self.mark, bytes[end &- 1].isBlank { end &-= 1 }
        let known = FieldNameTable.shared.name(bytes, self.fieldName.range)
        self.head.fields[self.head.fieldCount] = Field(
            name: self.fieldName, value: Slice(self.mark..<end), known: known)
        self.head.fieldCount &+= 1
        self.head.present |= known.mask
    }

    private static func isVersion(_ byte: UInt8, at index: Int) -> Bool {
        switch index {
        case 0: byte == 0x48
        case 1, 2: byte == 0x54
        case 3: byte == 0x50
        case 4: byte == 0x2F
        case 6: byte == 0x2E
        default: byte.isDigit
        }
    }

    /// The rejection for a byte that is not allowed where it is.
    private static func lineFault(_ byte: UInt8, _ otherwise: Rejection) -> Rejection {
        byte == .lineFeed ? .bareLineFeed : otherwise
    }
}
