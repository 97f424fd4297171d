// The port: what a use case sees of a database.

/// PostgreSQL or SQLite. `body` is synchronous, so no transaction stays open over a network call.
package protocol Database: Sendable {
    /// Reads and writes; committed when `body` returns, and acknowledged only then. After a transient fault `body` is
    /// run again: it must do nothing but talk to the transaction.
    func transaction<Value: Sendable>(_ body: @escaping @Sendable (borrowing Transaction) throws -> Value) async throws
        -> Value

    /// Reads one snapshot. Writes are refused.
    func read<Value: Sendable>(_ body: @escaping @Sendable (borrowing Transaction) throws -> Value) async throws
        -> Value

    /// Reads with a snapshot per statement: for one statement, which makes its own. The cheapest way to look up a row.
    func lookup<Value: Sendable>(_ body: @escaping @Sendable (borrowing Transaction) throws -> Value) async throws
        -> Value

    /// Lets what runs finish, refuses what waits, closes the connections.
    func close() async

    /// Wake-ups of `channel`. The first is due at once, and another whenever some may have been missed: a caller that looks
    /// for work at each of them misses none.
    func listen(_ channel: Channel) -> WakeUps

    /// Whether the database answers and accepts writes, for readiness.
    ///
    /// - Throws: `DatabaseFault`: `full` and `readOnly` if it answers and rejects writes.
    func check() async throws

    var dialect: Dialect { get }

    /// The pools of connections as they are now.
    var pools: [PoolStatistics] { get }

    /// Another number after each commit, before the commit is acknowledged: what was read while it was the same still
    /// holds. Nil if other processes commit too, so that this process cannot know.
    var generation: UInt64? { get }
}

extension Database {
    package var generation: UInt64? { nil }

    /// Asks a trivial question.
    package func check() async throws {
        _ = try await self.lookup { try $0.first("SELECT 1", as: { try $0[0] as Int }) }
    }

    /// What metrics and readiness call it (HTTP contract, section 9, row 44).
    package var name: String {
        switch self.dialect {
        case .postgreSQL: "postgres"
        case .sqlite: "sqlite"
        }
    }
}
