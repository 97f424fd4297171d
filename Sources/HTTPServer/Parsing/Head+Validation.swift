// What a head must fulfil as a whole: host, target form, framing, connection options.
// Rules: RFC 9112, 3.2, 6 and 9.3; RFC 9110, 7.2 and 10.1.1.

extension Head {
    /// Checks the fields that decide how the message is read, and sets what follows from them.
    mutating func validate(_ bytes: Span<UInt8>) throws(Rejection) {
        var host: Slice?
        var length = Framing.LengthField.absent
        var coding = Framing.CodingField.absent
        self.keepsAlive = self.isHTTP11
        self.expectsContinue = false
        let interesting =
            FieldName.contentLength.mask | FieldName.transferEncoding.mask | FieldName.connection.mask
            | FieldName.expect.mask
        if self.present & interesting == 0 {
            for index in 0..<self.fieldCount where self.fields[index].known == .host {
                let field = self.fields[index]
                guard host == nil else { throw .hostRepeated }
                guard !self.hasTab(around: field, bytes) else { throw .hostMalformed }
                host = field.value
            }
        } else {
            var closes = false
            for index in 0..<self.fieldCount {
                let field = self.fields[index]
                let value = field.value.range
                switch field.known {
                case .host:
                    guard host == nil else { throw .hostRepeated }
                    guard !self.hasTab(around: field, bytes) else { throw .hostMalformed }
                    host = field.value
                case .contentLength:
                    length =
                        length != .absent
                        ? .repeated
                        : self.hasTab(around: field, bytes) ? .malformed : Framing.LengthField(bytes, value)
                case .transferEncoding:
                    coding =
                        coding != .absent
                        ? .repeated
                        : bytes.equals("chunked", in: value) && !self.hasTab(around: field, bytes) ? .chunked : .unknown
                case .connection:
                    if bytes.hasListMember("close", in: value) { closes = true }
                    if !self.isHTTP11, bytes.hasListMember("keep-alive", in: value) { self.keepsAlive = true }
                case .expect:
                    guard self.isHTTP11 else { break }
                    guard bytes.equals("100-continue", in: value) else { throw .expectationFailed }
                    self.expectsContinue = true
                default: break
                }
            }
            if closes { self.keepsAlive = false }
        }
        self.framing = try Framing.decide(isHTTP11: self.isHTTP11, coding, length)
        if self.framing == .none { self.expectsContinue = false }
        try self.validateTarget(bytes, host)
    }

    /// Whether a tab is before or after a value. Host and the framing fields must not have
    /// one: parsers disagree about it.
    private func hasTab(around field: Field, _ bytes: Span<UInt8>) -> Bool {
        for at in field.name.range.upperBound..<field.value.range.lowerBound where bytes[at] == .tab { return true }
        var at = field.value.range.upperBound
        while bytes[at].isBlank {
            if bytes[at] == .tab { return true }
            at += 1
        }
        return false
    }

    private mutating func validateTarget(_ bytes: Span<UInt8>, _ host: Slice?) throws(Rejection) {
        if let host {
            guard bytes.isAuthority(host.range) else { throw .hostMalformed }
        } else if self.isHTTP11 {
            throw .hostMissing
        }
        let target = self.target.range
        self.path = self.target
        self.hasPath = true
        if bytes[target.lowerBound] == 0x2F {
            guard !bytes.hasDotSegment(target) else { throw .targetHasDotSegment }
            return
        }
        if target.count == 1, bytes[target.lowerBound] == 0x2A {
            guard self.method == .options else { throw .targetMalformed }
            self.hasPath = false
            return
        }
        // Absolute form: scheme, authority, path.
        let start: Int
        if bytes.equals("http://", in: target.prefix(7)) {
            start = target.lowerBound + 7
        } else if bytes.equals("https://", in: target.prefix(8)) {
            start = target.lowerBound + 8
        } else {
            throw .targetMalformed
        }
        var end = start
        while end < target.upperBound, bytes[end] != 0x2F, bytes[end] != 0x3F { end += 1 }
        guard bytes.isAuthority(start..<end) else { throw .targetMalformed }
        // Without a path there would be nothing to take the slash from.
        guard end < target.upperBound, bytes[end] == 0x2F else { throw .targetMalformed }
        if let host {
            guard bytes.equalIgnoringCase(host.range, start..<end) else { throw .hostMismatch }
        }
        guard !bytes.hasDotSegment(end..<target.upperBound) else { throw .targetHasDotSegment }
        self.path = Slice(end..<target.upperBound)
    }
}

extension Range where Bound == Int {
    func prefix(_ count: Int) -> Range<Int> { self.lowerBound..<Swift.min(self.upperBound, self.lowerBound + count) }
}

extension Span where Element == UInt8 {
    /// Whether a part is `text` (ASCII, lower case), regardless of letter case.
    func equals(_ text: StaticString, in range: Range<Int>) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { expected in
            for offset in 0..<range.count
            where unsafe self[range.lowerBound &+ offset].lowercasedByte != expected[offset] { return false }
            return true
        }
    }

    /// Whether a part is exactly `text`.
    package func isEqual(_ text: StaticString, in range: Range<Int>) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        for offset in 0..<range.count
        where unsafe self[range.lowerBound &+ offset] != text.utf8Start[offset] { return false }
        return true
    }

    func equalIgnoringCase(_ one: Range<Int>, _ other: Range<Int>) -> Bool {
        guard one.count == other.count else { return false }
        return (0..<one.count).allSatisfy { offset in
            self[one.lowerBound + offset].lowercasedByte == self[other.lowerBound + offset].lowercasedByte
        }
    }

    /// Whether a path has a segment that is `.` or `..`, however encoded: a client removes those before it sends
    /// (RFC 3986, 5.2.4 and 6.2.2.3). The query does not count.
    func hasDotSegment(_ path: Range<Int>) -> Bool {
        var at = path.lowerBound
        while at < path.upperBound, self[at] != 0x3F {
            guard self[at] == 0x2F else {
                at &+= 1
                continue
            }
            at &+= 1
            var dots = 0
            while at < path.upperBound {
                if self[at] == 0x2E {
                    at &+= 1
                } else if self[at] == 0x25, at &+ 2 < path.upperBound, self[at &+ 1] == 0x32,
                    self[at &+ 2].lowercasedByte == 0x65
                {
                    at &+= 3
                } else {
                    break
                }
                dots &+= 1
            }
            let isEnd = at == path.upperBound || self[at] == 0x2F || self[at] == 0x3F
            if isEnd, dots == 1 || dots == 2 { return true }
        }
        return false
    }

    /// Whether a comma-separated list has that member.
    func hasListMember(_ text: StaticString, in range: Range<Int>) -> Bool {
        var at = range.lowerBound
        while at < range.upperBound {
            while at < range.upperBound, self[at].isBlank || self[at] == 0x2C { at += 1 }
            let start = at
            while at < range.upperBound, self[at] != 0x2C { at += 1 }
            var end = at
            while end > start, self[end - 1].isBlank { end -= 1 }
            if self.equals(text, in: start..<end) { return true }
        }
        return false
    }

    /// Whether a part is a host name, an IPv4 address or an IPv6 address in brackets, with or without a port.
    func isAuthority(_ range: Range<Int>) -> Bool {
        var at = range.lowerBound
        let end = range.upperBound
        guard at < end else { return false }
        if self[at] == 0x5B {
            at += 1
            let start = at
            while at < end, self[at].hexadecimalDigit != nil || self[at] == .colon || self[at] == 0x2E { at += 1 }
            guard at < end, at > start, self[at] == 0x5D else { return false }
            at += 1
        } else {
            while at < end, self[at].isHostNameByte { at += 1 }
            guard at > range.lowerBound else { return false }
        }
        guard at < end else { return true }
        guard self[at] == .colon else { return false }
        at += 1
        let portStart = at
        while at < end, self[at].isDigit { at += 1 }
        return at == end && at - portStart <= 5
    }
}
