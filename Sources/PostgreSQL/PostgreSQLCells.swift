// Reading a binary result.

import CPostgreSQL
import Domain
import Persistence

@safe final class PostgreSQLCells: Cells {
    private let result: OpaquePointer
    private let rows: Int32
    private var row: Int32 = -1

    /// - Parameter result: owned, and outlived, by the caller.
    init(_ result: OpaquePointer) {
        unsafe self.result = result
        self.rows = unsafe PQntuples(result)
    }

    func next() -> Bool {
        self.row += 1
        return self.row < self.rows
    }

    private func type(_ column: Int) -> Oid { unsafe PQftype(self.result, Int32(column)) }

    private func span(_ column: Int) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(
            start: PQgetvalue(self.result, self.row, Int32(column)),
            count: Int(PQgetlength(self.result, self.row, Int32(column))))
    }

    private func number<Number: FixedWidthInteger>(_ column: Int, at offset: Int = 0, as: Number.Type) -> Number {
        Number(bigEndian: unsafe self.span(column).loadUnaligned(fromByteOffset: offset, as: Number.self))
    }

    private func refused(_ column: Int) -> DatabaseFault {
        .unreadable("column \(column) has type \(self.type(column))")  // 1700: a SUM or AVG that needs a CAST
    }

    func isNull(_ column: Int) -> Bool { unsafe PQgetisnull(self.result, self.row, Int32(column)) == 1 }

    func integer(_ column: Int) throws(DatabaseFault) -> Int64 {
        switch self.type(column) {
        case 16: Int64(self.number(column, as: UInt8.self))
        case 20: self.number(column, as: Int64.self)
        case 21: Int64(self.number(column, as: Int16.self))
        case 23: Int64(self.number(column, as: Int32.self))
        default: throw self.refused(column)
        }
    }

    func real(_ column: Int) throws(DatabaseFault) -> Double {
        switch self.type(column) {
        case 700: Double(Float(bitPattern: self.number(column, as: UInt32.self)))
        case 701: Double(bitPattern: self.number(column, as: UInt64.self))
        default: throw self.refused(column)
        }
    }

    func text(_ column: Int) throws(DatabaseFault) -> String {
        let bytes = unsafe self.span(column)
        switch self.type(column) {
        case 19, 25, 114, 705, 1042, 1043: return unsafe String(decoding: bytes, as: UTF8.self)
        case 3802: return unsafe String(decoding: bytes.dropFirst(), as: UTF8.self)
        default: throw self.refused(column)
        }
    }

    func bytes(_ column: Int) throws(DatabaseFault) -> [UInt8] {
        guard self.type(column) == 17 else { throw self.refused(column) }
        return unsafe [UInt8](self.span(column))
    }

    func id(_ column: Int) throws(DatabaseFault) -> UniqueID {
        guard self.type(column) == 2950 else { throw self.refused(column) }
        return UniqueID(
            high: self.number(column, as: UInt64.self), low: self.number(column, at: 8, as: UInt64.self))
    }

    func time(_ column: Int) throws(DatabaseFault) -> Int64 {
        guard self.type(column) == 1184 else { throw self.refused(column) }
        return self.number(column, as: Int64.self) + 946_684_800_000_000
    }

    func texts(_ column: Int) throws(DatabaseFault) -> [String] {
        guard self.type(column) == 1009 else { throw self.refused(column) }
        if self.number(column, as: Int32.self) == 0 { return [] }
        let bytes = unsafe self.span(column)
        var texts: [String] = []
        var offset = 20
        for _ in 0..<self.number(column, at: 12, as: Int32.self) {
            let length = Int(self.number(column, at: offset, as: Int32.self))
            guard length >= 0 else { throw .unreadable("NULL in the list of column \(column)") }
            unsafe texts.append(String(decoding: bytes[offset + 4..<offset + 4 + length], as: UTF8.self))
            offset += 4 + length
        }
        return texts
    }
}
