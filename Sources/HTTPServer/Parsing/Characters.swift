// Character classes of HTTP messages (RFC 9110, 5.5 and 5.6; RFC 3986, appendix A).

extension UInt8 {
    /// A character of a token: what methods and field names are made of.
    @inline(__always) package var isTokenByte: Bool {
        // One bit a character: `!#$%&'*+-.` and digits in the first word, letters, `^_` and `` `|~ `` in the second.
        let low: UInt64 = 0x03FF_6CFA_0000_0000
        let high: UInt64 = 0x57FF_FFFF_C7FF_FFFE
        let word = self < 64 ? low : high
        return self < 128 && (word &>> UInt64(self & 63)) & 1 == 1
    }

    /// A character of a field value: visible ASCII, space, tab, or a byte above ASCII.
    @inline(__always) package var isValueByte: Bool { self >= 0x20 && self != 0x7F || self == .tab }

    /// A character of a request target: visible ASCII without `#`, which begins a fragment and is never sent.
    @inline(__always) package var isTargetByte: Bool { self > 0x20 && self < 0x7F && self != 0x23 }

    /// A character of a host name or an IPv4 address, escapes included.
    @inline(__always) package var isHostNameByte: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E, 0x25: true
        default: false
        }
    }

    @inline(__always) package var isDigit: Bool { self &- 0x30 < 10 }

    @inline(__always) package var hexadecimalDigit: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x41...0x46: self - 0x37
        case 0x61...0x66: self - 0x57
        default: nil
        }
    }

    @inline(__always) package var lowercasedByte: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }

    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let colon: UInt8 = 0x3A

    @inline(__always) var isBlank: Bool { self == .space || self == .tab }
}
