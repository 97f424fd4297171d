// Where a PostgreSQL server is and who we are there: libpq's connection URI (PostgreSQL 15, 34.1.1.2).

import CPostgreSQL
import Glibc

package struct PostgreSQLAddress: Sendable, CustomStringConvertible {
    /// Text that is no such URI. It is not shown: there may be a password in it.
    package struct Malformed: Error, CustomStringConvertible {
        package let description = "not of the form postgres://user:password@host:port/name?sslmode=…"
    }

    /// libpq's parameters, as given.
    private(set) var parameters: [String: String] = [:]

    /// - Parameter text: `postgres://user:password@host:port/name?sslmode=…`; percent-encoded where needed.
    package init(parsing text: String) throws(Malformed) {
        guard text.hasPrefix("postgres://") || text.hasPrefix("postgresql://") else { throw Malformed() }
        guard let options = unsafe PQconninfoParse(text, nil) else { throw Malformed() }
        defer { unsafe PQconninfoFree(options) }
        var option = unsafe options
        while let keyword = unsafe option.pointee.keyword {
            if let value = unsafe option.pointee.val {
                unsafe self.parameters[String(cString: keyword)] = String(cString: value)
            }
            unsafe option += 1
        }
        let ports = (self.parameters["port"] ?? "").split(separator: ",")
        guard ports.allSatisfy({ (1...65_535).contains(Int($0) ?? 0) }) else { throw Malformed() }
    }

    /// The same server, another database.
    package func with(database: String) -> PostgreSQLAddress {
        var other = self
        other.parameters["dbname"] = database
        return other
    }

    package var database: String? { self.parameters["dbname"] }

    /// For logs: without passwords.
    package var description: String {
        let user = self.parameters["user"].map { "\($0)@" } ?? ""
        let host = self.parameters["host"] ?? ""
        let port = self.parameters["port"].map { ":\($0)" } ?? ""
        let rest = self.parameters.filter { name, _ in
            !["user", "host", "port", "dbname"].contains(name) && !name.contains("password")
        }
        let query = rest.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "&")
        return "postgres://\(user)\(host.contains(":") ? "[\(host)]" : host)\(port)/\(self.database ?? "")"
            + (query.isEmpty ? "" : "?\(query)")
    }
}
