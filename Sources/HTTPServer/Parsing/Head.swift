// A parsed request head: slices into the bytes that were received. Nothing is copied and nothing is allocated.

/// The methods that are implemented. Any other is answered with 501.
package enum Method: String, CaseIterable, Sendable {
    case get = "GET"
    case head = "HEAD"
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
    case delete = "DELETE"
    case options = "OPTIONS"

    /// - Parameter packed: the bytes of the method, the last one lowest.
    @inline(__always) init?(packed: UInt64, count: Int) {
        switch (count, packed) {
        case (3, 0x47_4554): self = .get
        case (4, 0x4845_4144): self = .head
        case (4, 0x504F_5354): self = .post
        case (3, 0x50_5554): self = .put
        case (5, 0x50_4154_4348): self = .patch
        case (6, 0x4445_4C45_5445): self = .delete
        case (7, 0x4F_5054_494F_4E53): self = .options
        default: return nil
        }
    }
}

/// A part of a head's bytes.
package struct Slice: Equatable, Sendable {
    var start: UInt16
    var count: UInt16

    @inline(__always) init(_ range: Range<Int>) {
        self.start = UInt16(truncatingIfNeeded: range.lowerBound)
        self.count = UInt16(truncatingIfNeeded: range.count)
    }

    @inline(__always) package var range: Range<Int> { Int(self.start)..<Int(self.start) &+ Int(self.count) }
}

/// A header field of a head.
package struct Field: Sendable {
    package var name: Slice
    package var value: Slice
    package var known: FieldName
}

/// A complete and valid request head. Its slices refer to the bytes it was parsed from.
package struct Head: ~Copyable, Sendable {
    package static let fieldLimit = 512

    package internal(set) var method = Method.get
    package internal(set) var isHTTP11 = true
    /// As it was sent. In absolute form, `path` is a part of it.
    package internal(set) var target = Slice(0..<0)
    /// From the first slash on, the query included; `*` for OPTIONS of the whole server.
    package internal(set) var path = Slice(0..<0)
    package internal(set) var framing = Framing.none
    /// Whether the client wants to use the connection again.
    package internal(set) var keepsAlive = true
    package internal(set) var expectsContinue = false
    /// Whether the target has a path; `OPTIONS *` has none.
    var hasPath = true
    /// In bytes, the final empty line included.
    package internal(set) var length = 0
    package internal(set) var fieldCount = 0
    var present: UInt64 = 0
    /// The first `fieldCount` ones are those of this head; the others are room for the next.
    var fields: [Field] = []

    /// Whether the request is `OPTIONS *`, for the server as a whole.
    @inline(__always) var isForServer: Bool { !self.hasPath }

    /// The value of the first field of that name.
    @inline(__always) package func value(of name: FieldName) -> Slice? {
        guard self.present & name.mask != 0 else { return nil }
        let fields = self.fields.span
        for index in 0..<self.fieldCount where fields[index].known == name { return fields[index].value }
        return nil
    }

    /// Makes room for as many fields as a head may have.
    mutating func makeRoom() {
        let empty = Field(name: Slice(0..<0), value: Slice(0..<0), known: .other)
        self.fields = [Field](repeating: empty, count: Self.fieldLimit)
    }

    package func field(at index: Int) -> Field {
        precondition(index < self.fieldCount)
        return self.fields.span[index]
    }
}
