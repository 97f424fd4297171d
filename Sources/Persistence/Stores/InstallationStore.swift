// What the installation as a whole remembers: a value by name.

package enum InstallationStore {
    package static func value(_ name: String, _ transaction: borrowing Transaction) throws -> String? {
        try transaction.first("SELECT value FROM installation WHERE name = \(name)", as: { try $0[0] as String })
    }

    /// Keeps the first value: of rivals one wins.
    ///
    /// - Returns: the value that is kept.
    package static func settle(
        _ name: String, _ value: String, _ transaction: borrowing Transaction
    ) throws -> String {
        try transaction.execute(
            "INSERT INTO installation (name, value) VALUES (\(name), \(value)) ON CONFLICT (name) DO NOTHING")
        return try self.value(name, transaction) ?? value
    }

    package static func set(_ name: String, _ value: String, _ transaction: borrowing Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO installation (name, value) VALUES (\(name), \(value))
            ON CONFLICT (name) DO UPDATE SET value = excluded.value
            """)
    }

    package static func remove(_ name: String, _ transaction: borrowing Transaction) throws {
        try transaction.execute("DELETE FROM installation WHERE name = \(name)")
    }
}
