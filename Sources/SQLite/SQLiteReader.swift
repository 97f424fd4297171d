// SQLite's readers: they never wait for the writer, nor it for them.

import Persistence

/// One of the readers, each with a snapshot of its own.
final class SQLiteReader: Worker {
    private let open: () throws(DatabaseFault) -> SQLiteConnection
    private var connection: SQLiteConnection?

    init(_ open: @escaping () throws(DatabaseFault) -> SQLiteConnection) { self.open = open }

    func serve(_ jobs: [any Job]) {
        for job in jobs {
            do {
                let connection = try self.connection ?? self.open()
                self.connection = connection
                if job.work == .snapshot { try connection.execute("BEGIN") }
                defer {
                    connection.restoreLimits()
                    if job.work == .snapshot { try? connection.execute("COMMIT") }
                }
                try job.perform(Transaction(connection))
                job.settle(nil)
            } catch {
                job.settle(error)
            }
        }
    }
}
