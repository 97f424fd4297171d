// A prepared statement: binding values, reading the current row.

import CSQLite
import Domain
import Persistence

@safe final class SQLiteStatement: Cells {
    private let handle: OpaquePointer
    let isReadOnly: Bool

    init(_ handle: OpaquePointer) {
        unsafe self.handle = handle
        self.isReadOnly = unsafe sqlite3_stmt_readonly(handle) != 0
    }

    deinit { unsafe sqlite3_finalize(self.handle) }

    func step() -> Int32 { unsafe sqlite3_step(self.handle) }

    func reset() { unsafe sqlite3_reset(self.handle) }

    /// UUIDs are 16-byte BLOBs, times are INTEGER microseconds, lists are JSON arrays.
    func bind(_ value: SQLValue, at index: Int32) {
        switch value {
        case .null: unsafe sqlite3_bind_null(self.handle, index)
        case .bool(let value): unsafe sqlite3_bind_int64(self.handle, index, value ? 1 : 0)
        case .integer(let value): unsafe sqlite3_bind_int64(self.handle, index, value)
        case .real(let value): unsafe sqlite3_bind_double(self.handle, index, value)
        case .time(let value): unsafe sqlite3_bind_int64(self.handle, index, value.microseconds)
        case .text(let text), .json(let text): self.bind(text, at: index)
        case .texts(let texts): self.bind(JSONArray.written(texts), at: index)
        case .bytes(let bytes):
            if bytes.isEmpty {
                unsafe sqlite3_bind_zeroblob(self.handle, index, 0)  // a nil pointer would bind NULL
            } else {
                unsafe bytes.withUnsafeBytes { bytes in
                    _ = unsafe sqlite3_bind_blob64(
                        self.handle, index, bytes.baseAddress, UInt64(bytes.count), Self.transient)
                }
            }
        case .id(let id):
            var words = (id.high.bigEndian, id.low.bigEndian)
            unsafe withUnsafeBytes(of: &words) { bytes in
                _ = unsafe sqlite3_bind_blob(self.handle, index, bytes.baseAddress, 16, Self.transient)
            }
        }
    }

    private func bind(_ text: String, at index: Int32) {
        var text = text
        text.withUTF8 { utf8 in
            unsafe utf8.withMemoryRebound(to: CChar.self) { characters in
                _ = unsafe sqlite3_bind_text64(
                    self.handle, index, characters.baseAddress, UInt64(characters.count), Self.transient,
                    UInt8(SQLITE_UTF8))
            }
        }
    }

    /// Tells SQLite to copy what is bound.
    private static var transient: sqlite3_destructor_type { unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

    func isNull(_ column: Int) -> Bool { unsafe sqlite3_column_type(self.handle, Int32(column)) == SQLITE_NULL }

    func integer(_ column: Int) throws(DatabaseFault) -> Int64 {
        guard unsafe sqlite3_column_type(self.handle, Int32(column)) == SQLITE_INTEGER else {
            throw .unreadable("column \(column) is no INTEGER")
        }
        return unsafe sqlite3_column_int64(self.handle, Int32(column))
    }

    func real(_ column: Int) throws(DatabaseFault) -> Double {
        unsafe sqlite3_column_double(self.handle, Int32(column))
    }

    func text(_ column: Int) throws(DatabaseFault) -> String {
        guard unsafe sqlite3_column_type(self.handle, Int32(column)) == SQLITE_TEXT,
            let start = unsafe sqlite3_column_text(self.handle, Int32(column))
        else { throw .unreadable("column \(column) is no TEXT") }
        let count = Int(unsafe sqlite3_column_bytes(self.handle, Int32(column)))
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    func bytes(_ column: Int) throws(DatabaseFault) -> [UInt8] {
        let start = unsafe sqlite3_column_blob(self.handle, Int32(column))
        let count = Int(unsafe sqlite3_column_bytes(self.handle, Int32(column)))
        return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }

    func id(_ column: Int) throws(DatabaseFault) -> UniqueID {
        guard unsafe sqlite3_column_bytes(self.handle, Int32(column)) == 16,
            let start = unsafe sqlite3_column_blob(self.handle, Int32(column))
        else { throw .unreadable("column \(column) is no id") }
        return UniqueID(
            high: UInt64(bigEndian: unsafe start.loadUnaligned(as: UInt64.self)),
            low: UInt64(bigEndian: unsafe start.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }

    func time(_ column: Int) throws(DatabaseFault) -> Int64 { try self.integer(column) }

    func texts(_ column: Int) throws(DatabaseFault) -> [String] {
        let text = try self.text(column)
        guard let texts = JSONArray.read(text) else { throw .unreadable("column \(column) is no list") }
        return texts
    }
}
