// What has been received of a request and not been read.

/// What has been received of a request: a buffer, the parser and the body decoder. Pooled: an idle connection has none.
@safe struct Intake: ~Copyable {
    var parser: HeadParser
    var decoder = ChunkedDecoder()
    private(set) var start = 0
    private(set) var end = 0
    /// Empty until something is received.
    private var buffer = unsafe UnsafeMutableRawBufferPointer(start: nil, count: 0)
    /// In bytes.
    private let capacity: Int

    init(limits: HeadParser.Limits) {
        self.parser = HeadParser(limits: limits)
        self.capacity = max(limits.head, 16 * 1024)
    }

    deinit { unsafe self.buffer.deallocate() }

    var unread: Int { self.end - self.start }

    mutating func clear() {
        self.start = 0
        self.end = 0
        self.parser.reset()
        self.decoder = ChunkedDecoder()
    }

    /// Gives the memory back, after `clear`.
    mutating func shrink() {
        unsafe self.buffer.deallocate()
        unsafe self.buffer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        self.parser.shrink()
    }

    /// The free part of the buffer, after what is unread has been moved to its start if need be.
    mutating func room() -> UnsafeMutableRawBufferPointer {
        if unsafe self.buffer.baseAddress == nil {
            unsafe self.buffer = .allocate(byteCount: self.capacity, alignment: 64)
        }
        if self.start == self.end {
            self.start = 0
            self.end = 0
        } else if self.start > 0, unsafe self.buffer.count - self.end < 4096 {
            unsafe self.buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: self.buffer[self.start..<self.end]))
            self.end -= self.start
            self.start = 0
        }
        return unsafe UnsafeMutableRawBufferPointer(rebasing: self.buffer[self.end...])
    }

    mutating func filled(_ count: Int) { self.end += count }

    mutating func consume(_ count: Int) { self.start += count }

    mutating func parse() -> HeadParser.Step {
        let buffer = unsafe self.buffer
        let bytes = unsafe Span<UInt8>(
            _unsafeBytes: UnsafeRawBufferPointer(rebasing: buffer[self.start..<self.end]))
        return self.parser.advance(bytes)
    }

    /// Decodes the next part of a chunked body.
    ///
    /// - Returns: the step; a part is relative to what was unread.
    mutating func decode(_ taken: inout [UInt8], limit: Int) -> ChunkedDecoder.Step {
        let buffer = unsafe self.buffer
        let bytes = unsafe Span<UInt8>(
            _unsafeBytes: UnsafeRawBufferPointer(rebasing: buffer[self.start..<self.end]))
        var at = 0
        defer { self.start += at }
        while true {
            let step = self.decoder.next(bytes, at: &at)
            guard case .data(let range) = step else { return step }
            unsafe taken.append(
                contentsOf: buffer[self.start..<self.end][
                    (self.start + range.lowerBound)..<(self.start + range.upperBound)])
            if taken.count >= limit { return step }
        }
    }

    /// Takes up to `count` unread bytes.
    mutating func takeBytes(_ count: Int) -> [UInt8] {
        let taken = min(count, self.unread)
        let bytes = unsafe [UInt8](self.buffer[self.start..<self.start + taken])
        self.start += taken
        return bytes
    }

    /// Calls `body` with what is unread.
    @inline(__always)
    mutating func withHead<Result>(_ body: (borrowing Head, Span<UInt8>) -> Result) -> Result {
        let buffer = unsafe self.buffer
        let bytes = unsafe Span<UInt8>(
            _unsafeBytes: UnsafeRawBufferPointer(rebasing: buffer[self.start..<self.end]))
        return body(self.parser.head, bytes)
    }
}
