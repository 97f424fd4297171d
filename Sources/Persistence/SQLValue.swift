// What can be bound to a statement, and the Swift types that travel as one of these.

package import Domain

/// A value's kind. Drivers send it with the value, so a NULL and a bare `SELECT $1` have a type too.
package enum SQLKind: UInt8, Sendable { case bool, integer, real, text, bytes, id, time, json, texts }

package enum SQLValue: Hashable, Sendable {
    case null(SQLKind)
    case bool(Bool)
    case integer(Int64)
    case real(Double)
    case text(String)
    case bytes([UInt8])
    case id(UniqueID)
    case time(Timestamp)
    case json(String)
    case texts([String])

    package var kind: SQLKind {
        switch self {
        case .null(let kind): kind
        case .bool: .bool
        case .integer: .integer
        case .real: .real
        case .text: .text
        case .bytes: .bytes
        case .id: .id
        case .time: .time
        case .json: .json
        case .texts: .texts
        }
    }
}

/// A type that is stored in one column. `Optional` of it is the same column, nullable.
package protocol SQLConvertible: Sendable {
    static var sqlKind: SQLKind { get }
    var sqlValue: SQLValue { get }
    init(cells: any Cells, column: Int) throws(DatabaseFault)
}

extension SQLConvertible where Self: RawRepresentable, RawValue == String {
    package static var sqlKind: SQLKind { .text }
    package var sqlValue: SQLValue { .text(self.rawValue) }
    package init(cells: any Cells, column: Int) throws(DatabaseFault) {
        let text = try cells.text(column)
        guard let value = Self(rawValue: text) else { throw .unreadable("\(Self.self): \(text)") }
        self = value
    }
}

extension Bool: SQLConvertible {
    package static var sqlKind: SQLKind { .bool }
    package var sqlValue: SQLValue { .bool(self) }
    package init(cells: any Cells, column: Int) throws(DatabaseFault) { self = try cells.integer(column) != 0 }
}

extension Int64: SQLConvertible {
    package static var sqlKind: SQLKind { .integer }
    package var sqlValue: SQLValue { .integer(self) }
    package init(cells: any Cells, column: Int) throws(DatabaseFault) { self = try cells.integer(column) }
}

extension Int: SQLConvertible {
    package static var sqlKind: SQLKind { .integer }
    package var sqlValue: SQLValue { .integer(Int64(self)) }
    package init(cells: any Cells, column: Int) throws(DatabaseFault) { self = Int(try cells.integer(column)) }
}

extension Double: SQLConvertible {
    package static var sqlKind: SQLKind { .real }
    package var sqlValue: SQLValue { .real(self) }
    package init(cells: any Cells, column: Int) throws(DatabaseFault) { self = try cells.real(column) }
}

extension String: SQLConvertible {
    package static var sqlKind: SQLKind { .text }
    package var sqlValue: SQLValue { .text(self) }
    package init(cells: any Cells, column: Int) throws(DatabaseFault) { self = try cells.text(column) }
}

extension [UInt8]: SQLConvertible {
    package static var sqlKind: SQLKind { .bytes }
    package var sqlValue: SQLValue { .bytes(self) }
    package init(cells: any Cells, column: Int) throws(DatabaseFault) { self = try cells.bytes(column) }
}

/// A list of texts: `text[]`, or a JSON array as TEXT.
package struct TextList: Hashable, SQLConvertible {
    package let texts: [String]
    package init(_ texts: [String]) { self.texts = texts }
    package static var sqlKind: SQLKind { .texts }
    package var sqlValue: SQLValue { .texts(self.texts) }
    package init(cells: any Cells, column: Int) throws(DatabaseFault) { self.texts = try cells.texts(column) }
}
