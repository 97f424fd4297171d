// Values as the binary protocol has them: typed by us, so PostgreSQL never guesses.

import CPostgreSQL
import Domain
import Persistence

struct Parameters {
    private var bytes: [UInt8] = []
    private var offsets: [Int] = []
    private var lengths: [Int32] = []
    private var types: [Oid] = []

    init(_ values: [SQLValue]) {
        for value in values { self.append(value) }
    }

    private static let microsecondsTo2000: Int64 = 946_684_800_000_000

    private mutating func append(_ value: SQLValue) {
        let start = self.bytes.count
        self.types.append(Self.type(of: value.kind))
        switch value {
        case .null:
            self.offsets.append(-1)
            return self.lengths.append(0)
        case .bool(let value): self.bytes.append(value ? 1 : 0)
        case .integer(let value): self.append(value)
        case .real(let value): self.append(value.bitPattern)
        case .text(let text): self.bytes += text.utf8
        case .bytes(let bytes): self.bytes += bytes
        case .id(let id):
            self.append(id.high)
            self.append(id.low)
        case .time(let time): self.append(time.microseconds - Self.microsecondsTo2000)
        case .json(let text):
            self.bytes.append(1)  // the version of jsonb's binary form
            self.bytes += text.utf8
        case .texts(let texts):
            self.append(Int32(texts.isEmpty ? 0 : 1))  // dimensions
            self.append(Int32(0))  // no NULL inside
            self.append(Int32(25))
            if !texts.isEmpty {
                self.append(Int32(texts.count))
                self.append(Int32(1))
            }
            for text in texts {
                self.append(Int32(text.utf8.count))
                self.bytes += text.utf8
            }
        }
        self.offsets.append(start)
        self.lengths.append(Int32(self.bytes.count - start))
        if self.bytes.count == start { self.bytes.append(0) }  // an empty value still needs an address
    }

    private mutating func append(_ number: some FixedWidthInteger) {
        unsafe withUnsafeBytes(of: number.bigEndian) { unsafe self.bytes += $0 }
    }

    private static func type(of kind: SQLKind) -> Oid {
        switch kind {
        case .bool: 16
        case .bytes: 17
        case .integer: 20
        case .text: 25
        case .real: 701
        case .texts: 1009
        case .time: 1184
        case .id: 2950
        case .json: 3802
        }
    }

    func prepare(_ name: String, _ text: String, on connection: OpaquePointer) -> Int32 {
        unsafe self.types.withUnsafeBufferPointer { types in
            unsafe PQsendPrepare(connection, name, text, Int32(types.count), types.baseAddress)
        }
    }

    /// Sends a statement by name, or by its text.
    mutating func send(_ statement: String, prepared: Bool, on connection: OpaquePointer) -> Int32 {
        let formats = [Int32](repeating: 1, count: self.offsets.count)
        return unsafe self.bytes.withUnsafeBytes { bytes in
            let base = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            let values = unsafe self.offsets.map { offset in unsafe offset < 0 ? nil : base.map { unsafe $0 + offset } }
            return unsafe values.withUnsafeBufferPointer { values in
                unsafe self.lengths.withUnsafeBufferPointer { lengths in
                    unsafe formats.withUnsafeBufferPointer { formats in
                        let count = Int32(values.count)
                        if prepared {
                            return unsafe PQsendQueryPrepared(
                                connection, statement, count, values.baseAddress, lengths.baseAddress,
                                formats.baseAddress, 1)
                        }
                        return unsafe self.types.withUnsafeBufferPointer { types in
                            unsafe PQsendQueryParams(
                                connection, statement, count, types.baseAddress, values.baseAddress,
                                lengths.baseAddress, formats.baseAddress, 1)
                        }
                    }
                }
            }
        }
    }
}
