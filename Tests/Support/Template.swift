// What a test's database is copied from: made once for each content, since a copy costs less than the migrations.

import Cryptography
import Domain
import Foundation
package import Persistence

/// A database's content: migrations, and perhaps rows.
package struct Template: Sendable {
    let migrations: [Migration]
    let rows: [String]

    package init(migrated migrations: [Migration], rows: [String] = []) {
        (self.migrations, self.rows) = (migrations, rows)
    }

    /// The same for the same content, in any process.
    var name: String {
        let content = self.migrations.flatMap { [$0.version, $0.checksum] } + self.rows
        return "artifortress_template_" + SHA256.digest(of: content.joined(separator: "\n")).hex.prefix(24)
    }

    func fill(_ database: any Database) async throws {
        if !self.migrations.isEmpty { try await Migrator.migrate(database, to: self.migrations) }
        for script in self.rows {
            try await database.transaction { transaction in
                try transaction.liftLimits()
                try transaction.run(script: script)
            }
        }
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
