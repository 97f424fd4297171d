// The field names that the server and its handlers look up, as a small enumeration found while the head is parsed.

/// A known field name. Any other name is `other`.
package enum FieldName: UInt8, CaseIterable, Sendable {
    case other, accept, acceptEncoding, authorization, cacheControl, connection, contentDisposition, contentEncoding
    case contentLength, contentRange, contentType, cookie, expect, forwarded, host, ifMatch, ifModifiedSince
    case ifNoneMatch, ifRange, ifUnmodifiedSince, origin, proxyAuthorization, range, referer, trailer
    case transferEncoding, upgrade, userAgent, forwardedFor, forwardedHost, forwardedProtocol, correlation

    /// In lower case; empty for `other`.
    package var spelling: String {
        switch self {
        case .other: ""
        case .accept: "accept"
        case .acceptEncoding: "accept-encoding"
        case .authorization: "authorization"
        case .cacheControl: "cache-control"
        case .connection: "connection"
        case .contentDisposition: "content-disposition"
        case .contentEncoding: "content-encoding"
        case .contentLength: "content-length"
        case .contentRange: "content-range"
        case .contentType: "content-type"
        case .cookie: "cookie"
        case .expect: "expect"
        case .forwarded: "forwarded"
        case .host: "host"
        case .ifMatch: "if-match"
        case .ifModifiedSince: "if-modified-since"
        case .ifNoneMatch: "if-none-match"
        case .ifRange: "if-range"
        case .ifUnmodifiedSince: "if-unmodified-since"
        case .origin: "origin"
        case .proxyAuthorization: "proxy-authorization"
        case .range: "range"
        case .referer: "referer"
        case .trailer: "trailer"
        case .transferEncoding: "transfer-encoding"
        case .upgrade: "upgrade"
        case .userAgent: "user-agent"
        case .forwardedFor: "x-forwarded-for"
        case .forwardedHost: "x-forwarded-host"
        case .forwardedProtocol: "x-forwarded-proto"
        case .correlation: "x-correlation-id"
        }
    }

    /// One bit of a set of names.
    @inline(__always) var mask: UInt64 { 1 &<< UInt64(self.rawValue) }
}

/// A name of at most 24 bytes in three words, letters in lower case. The fold (`| 0x20`) maps no other token character
/// to a letter, a digit or `-`, so a token equals a known name exactly if the words and the length are equal.
struct PackedName: Equatable {
    private(set) var length = 0
    private var first: UInt64 = 0
    private var second: UInt64 = 0
    private var third: UInt64 = 0

    static let longest = 24

    @inline(__always) init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        self.length = range.count
        var at = range.lowerBound
        let end = range.upperBound
        var word: UInt64 = 0
        let firstEnd = min(end, at &+ 8)
        while at < firstEnd {
            word = word &<< 8 | UInt64(bytes[at] | 0x20)
            at &+= 1
        }
        self.first = word
        guard at < end else { return }
        word = 0
        let secondEnd = min(end, at &+ 8)
        while at < secondEnd {
            word = word &<< 8 | UInt64(bytes[at] | 0x20)
            at &+= 1
        }
        self.second = word
        guard at < end else { return }
        word = 0
        while at < end {
            word = word &<< 8 | UInt64(bytes[at] | 0x20)
            at &+= 1
        }
        self.third = word
    }

    @inline(__always) func hash(_ multiplier: UInt64) -> Int {
        Int(truncatingIfNeeded: ((self.first ^ (self.second &* 31) ^ UInt64(self.length)) &* multiplier) &>> 57)
    }
}

/// A perfect hash of the known names: one probe, one comparison.
struct FieldNameTable: ~Copyable {
    private struct Entry {
        let packed: PackedName
        let name: FieldName
    }

    private let multiplier: UInt64
    /// An array: a subscript of a stored `InlineArray` can copy all of it (5 KiB).
    private let entries: [Entry]

    static let shared = FieldNameTable()

    private init() {
        let empty = Entry(packed: PackedName([UInt8]().span, 0..<0), name: .other)
        var multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15
        search: while true {
            var entries = [Entry](repeating: empty, count: 128)
            for name in FieldName.allCases where name != .other {
                let bytes = Array(name.spelling.utf8)
                let packed = PackedName(bytes.span, 0..<bytes.count)
                let place = packed.hash(multiplier)
                guard entries[place].name == .other else {
                    multiplier = multiplier &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    continue search
                }
                entries[place] = Entry(packed: packed, name: name)
            }
            self.multiplier = multiplier
            self.entries = entries
            return
        }
    }

    @inline(__always) func name(_ bytes: Span<UInt8>, _ range: Range<Int>) -> FieldName {
        guard range.count <= PackedName.longest else { return .other }
        let packed = PackedName(bytes, range)
        let place = packed.hash(self.multiplier)
        return self.entries[place].packed == packed ? self.entries[place].name : .other
    }
}
