/// Bytes that look random and are the same for the same seed.
enum Pattern {
    static func bytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
        let block = (0..<min(count, 8191)).map { _ in UInt8(truncatingIfNeeded: next() >> 32) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + block.count + 8)
        while bytes.count < count {  // no two blocks begin alike
            let word = next()
            for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
            bytes += block
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}
