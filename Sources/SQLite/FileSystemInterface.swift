// How SQLite reaches the file: with an index of the log in shared memory, which is a file of 32 KiB beside the database, or
// on a full disk with that index in the memory of this process.

import Persistence
import Synchronization

/// One of SQLite's interfaces to the file system (its "VFS").
enum FileSystemInterface: Sendable {
    /// Other processes can read the database at the same time: a backup, a shell.
    case shared
    /// No other process can open the database at the same time. Needs no space on the disk.
    case exclusive

    var name: String { self == .shared ? "unix" : "unix-excl" }
}

/// Decides once which interface all connections to a database use: they cannot be mixed.
final class FileSystemChoice: Sendable {
    private let chosen = Mutex<FileSystemInterface?>(nil)

    /// - Parameter connect: opens a connection, which is closed at once.
    /// - Returns: the exclusive interface if there is no room for the index of the log, so that what is stored can be read.
    func interface(
        _ connect: (FileSystemInterface) throws(DatabaseFault) -> Void
    ) throws(DatabaseFault) -> FileSystemInterface {
        try self.chosen.withLock { chosen throws(DatabaseFault) in
            if let chosen { return chosen }
            do throws(DatabaseFault) {
                try connect(.shared)
                chosen = .shared
                return .shared
            } catch .full {
                try connect(.exclusive)
                chosen = .exclusive
                return .exclusive
            }
        }
    }
}
