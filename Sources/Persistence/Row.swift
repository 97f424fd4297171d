// Reading results. A row is a view of the driver's buffer: it is lent to a closure and cannot be kept.

package import Domain

/// The current row, by column. Drivers implement it over their result.
package protocol Cells: AnyObject {
    func isNull(_ column: Int) -> Bool
    func integer(_ column: Int) throws(DatabaseFault) -> Int64
    func real(_ column: Int) throws(DatabaseFault) -> Double
    func text(_ column: Int) throws(DatabaseFault) -> String
    func bytes(_ column: Int) throws(DatabaseFault) -> [UInt8]
    func id(_ column: Int) throws(DatabaseFault) -> UniqueID
    func time(_ column: Int) throws(DatabaseFault) -> Int64
    func texts(_ column: Int) throws(DatabaseFault) -> [String]
}

package struct Row: ~Copyable {
    let cells: any Cells
    package init(_ cells: any Cells) { self.cells = cells }

    /// The value in the column at `index` of the SELECT list, from 0.
    package subscript<Value: SQLConvertible>(_ index: Int) -> Value {
        get throws(DatabaseFault) {
            if self.cells.isNull(index) { throw .unreadable("NULL in column \(index)") }
            return try Value(cells: self.cells, column: index)
        }
    }

    package subscript<Value: SQLConvertible>(_ index: Int) -> Value? {
        get throws(DatabaseFault) {
            self.cells.isNull(index) ? nil : try Value(cells: self.cells, column: index)
        }
    }
}
