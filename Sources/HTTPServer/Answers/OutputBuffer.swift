// The loop's buffer for heads and small bodies: the answers of one turn leave in one call.

import Glibc

@safe struct OutputBuffer: ~Copyable {
    static let capacity = 64 * 1024

    fileprivate let base: UnsafeMutableRawPointer
    private(set) var count = 0

    init() { unsafe self.base = .allocate(byteCount: Self.capacity, alignment: 64) }

    deinit { unsafe self.base.deallocate() }

    var room: Int { Self.capacity - self.count }
    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: self.base, count: self.count) }
    /// The free part.
    var free: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: self.base + self.count, count: self.room)
    }

    mutating func clear() { self.count = 0 }

    mutating func truncate(to count: Int) { self.count = min(count, self.count) }

    mutating func filled(_ count: Int) { self.count += count }

    @inline(__always)
    mutating func append(_ bytes: [UInt8]) {
        precondition(bytes.count <= self.room)
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            unsafe memcpy(self.base + self.count, start, source.count)
        }
        self.count += bytes.count
    }

    @inline(__always)
    mutating func append(_ text: StaticString) {
        let length = text.utf8CodeUnitCount
        precondition(length <= self.room)
        unsafe memcpy(self.base + self.count, text.utf8Start, length)
        self.count += length
    }

    /// Appends text that must not contain a control character.
    ///
    /// - Returns: whether that is so.
    mutating func append(checking text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            guard let source = unsafe UnsafeRawPointer(bytes.baseAddress), bytes.count <= self.room else {
                return bytes.isEmpty
            }
            unsafe memcpy(self.base + self.count, source, bytes.count)
            self.count += bytes.count
            var at = 0
            while at &+ 8 <= bytes.count {
                // Eight bytes at a time: is any below 0x20, or 0x7F?
                let word = unsafe source.loadUnaligned(fromByteOffset: at, as: UInt64.self)
                let high: UInt64 = 0x8080_8080_8080_8080
                let isBelow = (word &- 0x2020_2020_2020_2020) & ~word & high
                let delete = word ^ 0x7F7F_7F7F_7F7F_7F7F
                let isDelete = (delete &- 0x0101_0101_0101_0101) & ~delete & high
                guard isBelow | isDelete == 0 else { break }
                at &+= 8
            }
            while at < bytes.count {
                guard unsafe bytes[at].isValueByte else { return false }
                at &+= 1
            }
            return true
        }
    }

    /// Appends text that must be a token.
    ///
    /// - Returns: whether that is so.
    mutating func append(token text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            guard let source = unsafe UnsafeRawPointer(bytes.baseAddress), bytes.count <= self.room else {
                return bytes.isEmpty
            }
            unsafe memcpy(self.base + self.count, source, bytes.count)
            self.count += bytes.count
            var at = 0
            while at < bytes.count, unsafe bytes[at].isTokenByte { at &+= 1 }
            return at == bytes.count
        }
    }

    mutating func append(hexadecimal value: Int) {
        _ = self.append(checking: String(value, radix: 16))
    }

    mutating func append(decimal value: Int) {
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var left = value
        var count = 0
        repeat {
            digits[count] = UInt8(truncatingIfNeeded: left % 10) + 0x30
            left /= 10
            count += 1
        } while left > 0
        precondition(count <= self.room)
        for index in 0..<count {
            unsafe self.base.storeBytes(
                of: digits[count - 1 - index], toByteOffset: self.count + index, as: UInt8.self)
        }
        self.count += count
    }
}
