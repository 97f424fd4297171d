// Where a PostgreSQL server is and who we are there: libpq's connection URI (PostgreSQL 15, 34.1.1.2).

import CPostgreSQL
import Glibc

package struct PostgreSQLAddress: Sendable, CustomStringConvertible {
    /// Text that is no such URI. It isn't shown: there may be a password in it.
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
    }

    /// The same server, another database.
    package func with(database: String) -> PostgreSQLAddress {
        var other = self
        other.parameters["dbname"] = database
        return other
    }

    package var database: String? { self.parameters["dbname"] }

    /// For logs: without the password and what else is secret.
    package var description: String {
        let user = self.parameters["user"].map { "\($0)@" } ?? ""
        let port = self.parameters["port"].map { ":\($0)" } ?? ""
        let rest = self.parameters.keys.filter { !["user", "host", "port", "dbname"].contains($0) }.sorted()
            .map { "\($0)=\($0.contains("password") ? "…" : self.parameters[$0] ?? "")" }
        return "postgres://\(user)\(self.parameters["host"] ?? "")\(port)/\(self.parameters["dbname"] ?? "")"
            + (rest.isEmpty ? "" : "?" + rest.joined(separator: "&"))
    }

    /// Found out where the address says nothing: a server that doesn't answer within seconds is down, and a connection
    /// that was cut without a word is noticed.
    private static let defaults = [
        "connect_timeout": "3",
        "keepalives_idle": "10",
        "keepalives_interval": "5",
        "keepalives_count": "3",
        "tcp_user_timeout": "10000",
        "application_name": "artifortress",
        "client_encoding": "UTF8",
    ]

    /// A new connection, blocking; nil only where memory is out.
    func connect() -> OpaquePointer? {
        let all = Array(Self.defaults.merging(self.parameters) { $1 })
        var keywords = unsafe all.map { unsafe strdup($0.key) }
        var values = unsafe all.map { unsafe strdup($0.value) }
        unsafe keywords.append(nil)
        unsafe values.append(nil)
        defer {
            for index in all.indices {
                unsafe free(keywords[index])
                unsafe free(values[index])
            }
        }
        let keywordPointers = unsafe keywords.map { unsafe UnsafePointer($0) }
        let valuePointers = unsafe values.map { unsafe UnsafePointer($0) }
        return unsafe keywordPointers.withUnsafeBufferPointer { keywords in
            unsafe valuePointers.withUnsafeBufferPointer { values in
                unsafe PQconnectdbParams(keywords.baseAddress, values.baseAddress, 0)
            }
        }
    }
}
