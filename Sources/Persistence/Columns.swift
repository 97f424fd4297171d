// How the domain's values travel as columns.

package import Domain

extension UniqueID: SQLConvertible {
    package static var sqlKind: SQLKind { .id }
    package var sqlValue: SQLValue { .id(self) }
    package init(cells: any Cells, column: Int) throws(DatabaseFault) { self = try cells.id(column) }
}

extension Identifier: SQLConvertible {
    package static var sqlKind: SQLKind { .id }
    package var sqlValue: SQLValue { .id(self.value) }
    package init(cells: any Cells, column: Int) throws(DatabaseFault) { self.init(try cells.id(column)) }
}

extension Timestamp: SQLConvertible {
    package static var sqlKind: SQLKind { .time }
    package var sqlValue: SQLValue { .time(self) }
    package init(cells: any Cells, column: Int) throws(DatabaseFault) {
        self.init(microseconds: try cells.time(column))
    }
}

extension JSON: SQLConvertible {
    package static var sqlKind: SQLKind { .json }
    package var sqlValue: SQLValue { .json(self.description) }
    package init(cells: any Cells, column: Int) throws(DatabaseFault) {
        let text = try cells.text(column)
        do { try self.init(parsing: text) } catch { throw .unreadable("JSON: \(error)") }
    }
}

extension BlobDigest: SQLConvertible {
    package static var sqlKind: SQLKind { .text }
    package var sqlValue: SQLValue { .text(self.hex) }
    package init(cells: any Cells, column: Int) throws(DatabaseFault) {
        let text = try cells.text(column)
        do { try self.init(parsing: text) } catch { throw .unreadable("BlobDigest: \(text)") }
    }
}

extension RepoKey: SQLConvertible {
    package static var sqlKind: SQLKind { .text }
    package var sqlValue: SQLValue { .text(self.text) }
    package init(cells: any Cells, column: Int) throws(DatabaseFault) {
        let text = try cells.text(column)
        do { try self.init(parsing: text) } catch { throw .unreadable("RepoKey: \(text)") }
    }
}

extension Subject: SQLConvertible {
    package static var sqlKind: SQLKind { .text }
    package var sqlValue: SQLValue { .text(self.text) }
    package init(cells: any Cells, column: Int) throws(DatabaseFault) {
        self.init(stored: try cells.text(column))
    }
}

extension RelativePath: SQLConvertible {
    package static var sqlKind: SQLKind { .text }
    package var sqlValue: SQLValue { .text(self.text) }
    package init(cells: any Cells, column: Int) throws(DatabaseFault) {
        self.init(stored: try cells.text(column))
    }
}

extension Name: SQLConvertible {
    package static var sqlKind: SQLKind { .text }
    package var sqlValue: SQLValue { .text(self.text) }
    package init(cells: any Cells, column: Int) throws(DatabaseFault) { self.init(try cells.text(column)) }
}

extension StorageKey: SQLConvertible {
    package static var sqlKind: SQLKind { .text }
    package var sqlValue: SQLValue { .text(self.text) }
    package init(cells: any Cells, column: Int) throws(DatabaseFault) {
        let text = try cells.text(column)
        guard let key = StorageKey(text) else { throw .unreadable("StorageKey: \(text)") }
        self = key
    }
}

extension UploadState: SQLConvertible {}
extension VersionState: SQLConvertible {}
extension Sealing: SQLConvertible {}
extension BlobState: SQLConvertible {}
extension QuarantineStatus: SQLConvertible {}
extension EventKind: SQLConvertible {}
extension AttestationKind: SQLConvertible {}
extension Role: SQLConvertible {}
extension TenantRole: SQLConvertible {}
extension PolicyAction: SQLConvertible {}
extension PolicyDecision: SQLConvertible {}
