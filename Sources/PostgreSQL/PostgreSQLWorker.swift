// One connection of the pool: runs transactions, tries again what may be tried again, replaces a lost connection.

import Glibc
import Persistence

final class PostgreSQLWorker: Worker {
    private static let attempts = 4

    private let limits: Limits
    private let breaker: Breaker
    private let line: WakeUpLine
    private let connect: () throws(DatabaseFault) -> PostgreSQLConnection
    private var connection: PostgreSQLConnection?
    /// The epoch in which the connection was made.
    private var epoch: Int

    init(
        _ limits: Limits, _ breaker: Breaker, _ line: WakeUpLine,
        connect: @escaping () throws(DatabaseFault) -> PostgreSQLConnection
    ) {
        self.limits = limits
        self.breaker = breaker
        self.line = line
        self.connect = connect
        self.epoch = breaker.epoch
        self.connection = try? connect()
    }

    func serve(_ jobs: [any Job]) {
        for job in jobs {
            do {
                try self.breaker.admit()
                try self.serve(job)
            } catch {
                job.settle(error)
            }
        }
    }

    private func serve(_ job: any Job) throws {
        for attempt in 1... {
            let isFresh = self.connection == nil || self.epoch != self.breaker.epoch
            let connection = try self.connected()
            do {
                return try self.attempt(job, on: connection)
            } catch {
                if connection.isUsable { self.breaker.succeeded() }
                guard let fault = error as? DatabaseFault else { throw error }
                if connection.hasGivenUp { self.breaker.failed(fault, isCertain: true) }
                guard fault.isTransient, attempt < Self.attempts else { throw fault }
                if fault.endsConnection {
                    // Perhaps only this connection was lost: then a new one serves, else making it fails.
                    if isFresh || connection.hasGivenUp { throw fault }
                } else {
                    // 10, 20, 40 ms, plus as much again by chance, so that rivals part.
                    let pause = 10_000 << (attempt - 1)
                    usleep(UInt32(pause + Int.random(in: 0..<pause)))
                }
            }
        }
    }

    private func connected() throws(DatabaseFault) -> PostgreSQLConnection {
        if let connection = self.connection, self.epoch == self.breaker.epoch { return connection }
        self.connection = nil
        self.epoch = self.breaker.epoch
        do {
            let connection = try self.connect()
            self.connection = connection
            return connection
        } catch {
            self.breaker.failed(error)
            throw error
        }
    }

    /// Settles the job, or throws with nothing done.
    private func attempt(_ job: any Job, on connection: PostgreSQLConnection) throws {
        do {
            switch job.work {
            case .write: connection.begin("BEGIN", self.limits)
            case .snapshot: connection.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", self.limits)
            case .lookup: connection.begin(nil, self.limits)
            }
            try job.perform(Transaction(connection))
        } catch {
            if connection.isUsable, job.work != .lookup { try? connection.rollBack() }
            self.dropIfNeeded(connection, error, in: job.work)
            // In a snapshot it is the transaction that is read-only, and the statement that is wrong.
            if case .readOnly(let text)? = error as? DatabaseFault, job.work == .snapshot {
                throw DatabaseFault.other(code: "25006", text)
            }
            throw error
        }
        do {
            if job.work == .write { try connection.commit() }
        } catch let fault as DatabaseFault {
            // A server that is going down may answer COMMIT with that news on a connection that still looks well, after
            // the commit was made: from here on an end of the connection leaves open what happened.
            if case .unavailable(let text) = fault {
                self.connection = nil
                throw DatabaseFault.commitUnknown(text)
            }
            self.dropIfNeeded(connection, fault, in: job.work)
            throw fault
        }
        self.breaker.succeeded()  // before the answer: the next caller is not rejected because of an old state
        job.settle(nil)
        if job.work == .write { self.line.wake(connection.takeNotified()) }
        if job.work == .snapshot { try? connection.endRead() }  // after the answer, so that no caller waits for it
        if !connection.isUsable { self.connection = nil }
    }

    /// Lets go of a connection that cannot be used any more, or that leads to a server which accepts no writes; in the
    /// latter case of all others too.
    private func dropIfNeeded(_ connection: PostgreSQLConnection, _ error: any Error, in work: Work) {
        if case .readOnly? = error as? DatabaseFault, work != .snapshot {
            self.breaker.endEpoch(self.epoch)
            self.connection = nil
        } else if !connection.isUsable {
            self.connection = nil
        }
    }
}
