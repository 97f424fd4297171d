// SQLite's one writer. Rivals queue before it instead of meeting SQLITE_BUSY.

import Persistence

/// Performs the waiting writes as one group: each in a savepoint, so one may fail alone; all acknowledged by one COMMIT.
final class SQLiteWriter: Worker {
    private let switchboard: Switchboard
    private let commits: CommitCounter
    private let open: () throws(DatabaseFault) -> SQLiteConnection
    private var connection: SQLiteConnection?
    /// What the transactions of this group wake.
    private var notified: Set<Channel> = []

    init(
        _ switchboard: Switchboard, _ commits: CommitCounter,
        open: @escaping () throws(DatabaseFault) -> SQLiteConnection
    ) {
        (self.switchboard, self.commits, self.open) = (switchboard, commits, open)
        self.connection = try? open()
    }

    func serve(_ jobs: [any Job]) {
        do {
            let connection = try self.connection ?? self.open()
            self.connection = connection
            self.notified = []
            try connection.execute("BEGIN IMMEDIATE")
            var outcomes: [(any Error)?] = []
            for job in jobs { outcomes.append(try self.attempt(job, on: connection, alone: jobs.count == 1)) }
            // A refusal too is told only now: it may rest on a neighbour's rows, which aren't kept until here.
            try connection.execute(connection.isInTransaction ? "COMMIT" : "SELECT 1")
            self.commits.advance()
            for (job, error) in zip(jobs, outcomes) { job.settle(error) }
            self.switchboard.wake(self.notified)
            connection.checkpoint()  // after the answers: nobody waits for it
        } catch {
            self.commits.advance()  // a COMMIT that threw may have been made: better one look too many
            if self.connection?.isInTransaction == true { try? self.connection?.execute("ROLLBACK") }
            for job in jobs { job.settle(error) }
        }
    }

    /// - Returns: the error of this job, which is undone. Throws what ends the whole group.
    private func attempt(
        _ job: any Job, on connection: SQLiteConnection, alone: Bool
    ) throws -> (any Error)? {
        if !alone { try connection.execute("SAVEPOINT job") }
        let session = PoisonedByFaults(connection)
        defer { connection.restoreLimits() }
        do {
            try job.perform(Transaction(session))
            if let fault = session.fault { throw fault }  // swallowed by the body; PostgreSQL would refuse COMMIT
            if !alone { try connection.execute("RELEASE job") }
            self.notified.formUnion(session.notified)
            return nil
        } catch {
            guard connection.isInTransaction else { throw error }
            try connection.execute(alone ? "ROLLBACK" : "ROLLBACK TO job; RELEASE job")
            return error
        }
    }
}

/// After a fault only a rollback is left, as in PostgreSQL: a store can't work in one database only.
private final class PoisonedByFaults: Session {
    private let connection: SQLiteConnection
    private(set) var fault: (any Error)?
    private(set) var notified: Set<Channel> = []
    let dialect = Dialect.sqlite

    init(_ connection: SQLiteConnection) { self.connection = connection }

    func run(_ statement: SQL, _ each: (borrowing Row) throws -> Void) throws -> Int {
        try self.guarded { try self.connection.run(statement, each) }
    }

    func run(all statements: [SQL]) throws -> Int { try self.guarded { try self.connection.run(all: statements) } }

    func run(script: String) throws { try self.guarded { try self.connection.run(script: script) } }

    func notify(_ channel: Channel) { self.notified.insert(channel) }

    func liftLimits() { self.connection.liftLimits() }

    private func guarded<Value>(_ work: () throws -> Value) throws -> Value {
        if self.fault != nil { throw DatabaseFault.poisoned }
        do {
            return try work()
        } catch {
            if error is DatabaseFault { self.fault = error }
            throw error
        }
    }
}
