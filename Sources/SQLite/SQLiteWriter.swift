// SQLite's one writer. Rivals queue before it instead of meeting SQLITE_BUSY.

import Persistence

/// Performs the waiting writes as one group: each in a savepoint, so one may fail alone; all acknowledged by one COMMIT.
///
/// When the disk is full, writes are performed one at a time, and only those are kept that may use the reserve. That ends
/// when there is room for a whole reserve again.
final class SQLiteWriter: Worker {
    private let switchboard: Switchboard
    private let commits: CommitCounter
    private let reserve: SpaceReserve?
    private let open: () throws(DatabaseFault) -> SQLiteConnection
    private var connection: SQLiteConnection?
    /// What the transactions of this group wake.
    private var notified: Set<Channel> = []
    private var isDiskFull = false
    private var hasReserve = false

    init(
        _ switchboard: Switchboard, _ commits: CommitCounter, reserve: SpaceReserve?,
        open: @escaping () throws(DatabaseFault) -> SQLiteConnection
    ) {
        self.switchboard = switchboard
        self.commits = commits
        self.reserve = reserve
        self.open = open
        self.connection = try? open()
    }

    func serve(_ jobs: [any Job]) {
        if let reserve = self.reserve, self.isDiskFull || !self.hasReserve {
            self.hasReserve = reserve.fill()
            self.isDiskFull = !self.hasReserve
        }
        if self.isDiskFull { return self.serveFromReserve(jobs) }
        do {
            let outcomes = try self.commit(jobs)
            for (job, error) in zip(jobs, outcomes) { job.settle(error) }
            self.switchboard.wake(self.notified)
            self.connection?.checkpoint()  // after the answers, so that no caller waits for it
        } catch DatabaseFault.full where self.reserve != nil {
            self.isDiskFull = true
            self.serveFromReserve(jobs)
        } catch {
            for job in jobs { job.settle(error) }
        }
    }

    /// Performs the jobs in one transaction, and commits it.
    ///
    /// - Returns: each job's error.
    /// - Throws: what ended the transaction: nothing happened, unless it is a COMMIT whose end is unknown.
    private func commit(_ jobs: [any Job], needsReserve: Bool = false) throws -> [(any Error)?] {
        do {
            let connection = try self.connection ?? self.open()
            self.connection = connection
            self.notified = []
            try connection.execute("BEGIN IMMEDIATE")
            var outcomes: [(any Error)?] = []
            for job in jobs {
                outcomes.append(
                    try self.attempt(job, on: connection, alone: jobs.count == 1, needsReserve: needsReserve))
            }
            // A refusal too is told only now: it may rest on a neighbor's rows, which are not kept until here.
            try connection.execute(connection.isInTransaction ? "COMMIT" : "SELECT 1")
            self.commits.advance()
            return outcomes
        } catch {
            self.commits.advance()  // a COMMIT that threw may have been made: better one look too many
            if self.connection?.isInTransaction == true { try? self.connection?.execute("ROLLBACK") }
            throw error
        }
    }

    /// One job at a time, so that one that may use the reserve does not share its transaction with one that may not.
    private func serveFromReserve(_ jobs: [any Job]) {
        for job in jobs {
            do {
                let outcome = try self.commitFromReserve(job)
                job.settle(outcome)
                self.switchboard.wake(self.notified)
            } catch {
                job.settle(error)
            }
        }
        // Pages that leave the log make room in it for the next writes.
        self.connection?.checkpoint(always: true)
        _ = self.reserve?.fill()
    }

    private func commitFromReserve(_ job: any Job) throws -> (any Error)? {
        while true {
            do {
                return try self.commit([job], needsReserve: true)[0]
            } catch DatabaseFault.full(let text) {
                guard self.reserve?.release() == true else { throw DatabaseFault.full(text) }
            }
        }
    }

    /// - Parameter needsReserve: whether a job that has written something is undone unless it may use the reserve.
    /// - Returns: the error of this job, which is undone. Throws what ends the whole group.
    private func attempt(
        _ job: any Job, on connection: SQLiteConnection, alone: Bool, needsReserve: Bool
    ) throws -> (any Error)? {
        if !alone { try connection.execute("SAVEPOINT job") }
        let session = PoisonedByFaults(connection)
        let before = connection.totalChanges
        defer { connection.restoreLimits() }
        do {
            try job.perform(Transaction(session))
            if let fault = session.fault { throw fault }  // swallowed by the body; PostgreSQL would refuse COMMIT
            if needsReserve, !session.mayUseReserve, connection.totalChanges != before {
                throw DatabaseFault.full("the reserve is kept for operations that free space or revoke access")
            }
            if !alone { try connection.execute("RELEASE job") }
            self.notified.formUnion(session.notified)
            return nil
        } catch {
            guard connection.isInTransaction else { throw error }
            // The reserve may help this one: all of it is done again.
            if needsReserve, session.mayUseReserve, case .full? = error as? DatabaseFault { throw error }
            try connection.execute(alone ? "ROLLBACK" : "ROLLBACK TO job; RELEASE job")
            return error
        }
    }
}

/// After a fault only a rollback is left, as in PostgreSQL: a store cannot work in one database only.
private final class PoisonedByFaults: Session {
    private let connection: SQLiteConnection
    private(set) var fault: (any Error)?
    private(set) var notified: Set<Channel> = []
    private(set) var mayUseReserve = false
    let dialect = Dialect.sqlite

    init(_ connection: SQLiteConnection) { self.connection = connection }

    func run(_ statement: SQL, _ each: (borrowing Row) throws -> Void) throws -> Int {
        try self.guarded { try self.connection.run(statement, each) }
    }

    func run(all statements: [SQL]) throws -> Int { try self.guarded { try self.connection.run(all: statements) } }

    func run(script: String) throws { try self.guarded { try self.connection.run(script: script) } }

    func notify(_ channel: Channel) { self.notified.insert(channel) }

    func liftLimits() { self.connection.liftLimits() }

    func allowReserve() { self.mayUseReserve = true }

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
