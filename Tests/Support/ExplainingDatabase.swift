// A database that requests the plan of every statement before it runs it: any use case, run on seeded rows, shows that
// it reads no whole table.

package import Persistence
import Synchronization

/// A test wrote to the database that all tests of the process share. It needs a copy: `Engine.withSeededCopy`.
package struct SharedDatabaseIsReadOnly: Error {
    package init() {}
}

package final class ExplainingDatabase: Database {
    private let database: any Database
    private let isReadOnly: Bool
    private let collected = Mutex<[QueryPlan]>([])

    package init(_ database: any Database, isReadOnly: Bool = false) {
        self.database = database
        self.isReadOnly = isReadOnly
    }

    /// The plans since the last call.
    package func takePlans() -> [QueryPlan] {
        self.collected.withLock { plans in
            defer { plans = [] }
            return plans
        }
    }

    package var dialect: Dialect { self.database.dialect }

    package var pools: [PoolStatistics] { self.database.pools }

    package func transaction<Value: Sendable>(
        _ body: @escaping @Sendable (borrowing Transaction) throws -> Value
    ) async throws -> Value {
        guard !self.isReadOnly else { throw SharedDatabaseIsReadOnly() }
        return try await self.database.transaction { try body(Transaction(ExplainingSession($0.session, self.keep))) }
    }

    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (borrowing Transaction) throws -> Value
    ) async throws -> Value {
        try await self.database.read { try body(Transaction(ExplainingSession($0.session, self.keep))) }
    }

    package func lookup<Value: Sendable>(
        _ body: @escaping @Sendable (borrowing Transaction) throws -> Value
    ) async throws -> Value {
        try await self.database.lookup { try body(Transaction(ExplainingSession($0.session, self.keep))) }
    }

    package func listen(_ channel: Channel) -> WakeUps { self.database.listen(channel) }

    package func close() async { await self.database.close() }

    private func keep(_ plan: QueryPlan) { self.collected.withLock { $0.append(plan) } }
}

private final class ExplainingSession: Session {
    private let session: any Session
    private let keep: (QueryPlan) -> Void

    init(_ session: any Session, _ keep: @escaping (QueryPlan) -> Void) {
        self.session = session
        self.keep = keep
    }

    var dialect: Dialect { self.session.dialect }

    func run(_ statement: SQL, _ each: (borrowing Row) throws -> Void) throws -> Int {
        try self.explain(statement)
        return try self.session.run(statement, each)
    }

    func run(all statements: [SQL]) throws -> Int {
        var seen: Set<String> = []
        for statement in statements where seen.insert(statement.rendered(for: self.dialect).text).inserted {
            try self.explain(statement)
        }
        return try self.session.run(all: statements)
    }

    func run(script: String) throws { try self.session.run(script: script) }

    func notify(_ channel: Channel) { self.session.notify(channel) }

    func liftLimits() throws { try self.session.liftLimits() }

    func allowReserve() { self.session.allowReserve() }

    /// What reads or writes rows; the rest (SET, PRAGMA) has no plan.
    private func explain(_ statement: SQL) throws {
        let verb = statement.rendered(for: self.dialect).text.prefix { !$0.isWhitespace }
        guard ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].contains(verb) else { return }
        self.keep(try Transaction(self.session).explain(statement))
    }
}
