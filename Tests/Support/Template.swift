// What a test's database is copied from: made once for each content, since a copy costs less than the migrations.

import Cryptography
import Domain
import Foundation
package import Persistence

/// A database's content: migrations, and perhaps a script of rows.
package struct Template: Sendable {
    let migrations: [Migration]
    let rows: String?

    package init(migrated migrations: [Migration], rows: String? = nil) {
        self.migrations = migrations
        self.rows = rows
    }

    /// The same for the same content, in any process.
    var name: String {
        let content = self.migrations.flatMap { [$0.version, $0.checksum] } + [self.rows ?? ""]
        return "artifortress_template_" + SHA256.digest(of: content.joined(separator: "\n")).hex.prefix(24)
    }

    func fill(_ database: any Database) async throws {
        if !self.migrations.isEmpty { try await Migrator.migrate(database, to: self.migrations) }
        guard let rows = self.rows else { return }
        try await database.transaction { transaction in
            try transaction.liftLimits()
            let constraints = try Self.setAside(transaction)
            try transaction.run(script: rows)
            try transaction.run(script: constraints)
            if transaction.dialect == .postgreSQL { try transaction.run(script: "ANALYZE") }
        }
    }

    /// Drops the indexes, and PostgreSQL's foreign keys: with them many rows take much longer.
    ///
    /// - Returns: what makes them again.
    private static func setAside(_ transaction: borrowing Transaction) throws -> String {
        let statements = try transaction.all(
            """
            \(.either(
                postgreSQL: """
                    SELECT 'ALTER TABLE ' || conrelid::regclass || ' DROP CONSTRAINT ' || conname,
                        'ALTER TABLE ' || conrelid::regclass || ' ADD CONSTRAINT ' || conname || ' '
                            || pg_get_constraintdef(oid) || ' NOT VALID'
                    FROM pg_constraint WHERE contype = 'f'
                    UNION ALL
                    SELECT 'DROP INDEX ' || indexrelid::regclass, pg_get_indexdef(indexrelid) FROM pg_index
                    WHERE indrelid::regclass::text IN (SELECT tablename::text FROM pg_tables WHERE schemaname = 'public')
                        AND NOT indisunique
                    """,
                sqlite: "SELECT 'DROP INDEX ' || name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"))
            """, as: { (drop: try $0[0] as String, make: try $0[1] as String) })
        try transaction.run(script: statements.map(\.drop).joined(separator: ";"))
        return statements.map(\.make).joined(separator: ";")
    }
}

/// Makes each template once in this process; who comes meanwhile waits.
actor TemplateShelf {
    private var made: [String: Task<Void, any Error>] = [:]

    func ensure(_ name: String, _ make: @escaping @Sendable () async throws -> Void) async throws {
        let task = self.made[name] ?? Task { try await make() }
        self.made[name] = task
        try await task.value
    }
}
