// How a database means to run a statement, for tests that no hot query reads a whole table.

package import Persistence

package struct QueryPlan: Sendable, CustomStringConvertible {
    /// As it was sent.
    package let statement: String
    package let lines: [String]
    package let dialect: Dialect

    package var description: String { ([self.statement] + self.lines).joined(separator: "\n") }

    /// The tables, or their aliases, that are read from end to end, without an index.
    package var fullScans: [String] {
        self.lines.compactMap { line in
            let words = line.split { $0 == " " || $0 == "(" }.map(String.init)
            switch self.dialect {
            case .postgreSQL:
                // "->  Seq Scan on blobs b  (cost=…"; "Parallel Seq Scan on …"
                guard let scan = words.firstIndex(of: "Seq"), words[scan...].starts(with: ["Seq", "Scan", "on"]),
                    words.count > scan + 3
                else { return nil }
                return words[scan + 3]
            case .sqlite:
                // "SCAN blobs"; not "SCAN blobs USING INDEX …", nor "SCAN json_each VIRTUAL TABLE INDEX 1:"
                guard words.first == "SCAN", words.count == 2, words[1] != "CONSTANT" else { return nil }
                return words[1]
            }
        }
    }
}

extension Transaction {
    /// How the database would run `statement`.
    package func explain(_ statement: SQL) throws -> QueryPlan {
        let lines: [String]
        switch self.dialect {
        case .postgreSQL: lines = try self.all("EXPLAIN \(statement)", as: { try $0[0] })
        case .sqlite: lines = try self.all("EXPLAIN QUERY PLAN \(statement)", as: { try $0[3] })
        }
        return QueryPlan(
            statement: statement.rendered(for: self.dialect).text, lines: lines, dialect: self.dialect)
    }
}
