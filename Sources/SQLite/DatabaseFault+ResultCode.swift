// What SQLite's result codes mean here. (SQLite manual, "Result and Error Codes".)

import CSQLite
import Domain
import Glibc
import Persistence

extension DatabaseFault {
    /// - Parameters:
    ///   - code: the extended result code.
    ///   - systemError: `errno` of the system call that failed; zero if none did.
    package init(sqliteCode code: Int32, message: String, systemError: Int32 = 0) {
        let reason = systemError == 0 ? "" : unsafe "; \(String(cString: strerror(systemError)))"
        let text = FaultText.line("\(message) (SQLite code \(code)\(reason))")
        self =
            switch code {
            case Constraint.unique, Constraint.primaryKey, Constraint.rowID:
                // "UNIQUE constraint failed: table.column, table.column"
                .duplicate(table: String(message.split(separator: ": ").last?.split(separator: ".").first ?? ""))
            case Constraint.foreignKey: .reference(text)
            case Constraint.trigger where message.hasPrefix(Self.immutableCode): .immutable(message)
            case InputOutput.damagedFileSystem, InputOutput.wrongData: .damaged(text)
            default: Self.byPrimaryCode(code & 0xFF, code, systemError, text)
            }
    }

    private static func byPrimaryCode(
        _ primary: Int32, _ code: Int32, _ systemError: Int32, _ text: String
    ) -> DatabaseFault {
        switch primary {
        case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL, SQLITE_SCHEMA: .contention(text)
        case SQLITE_INTERRUPT: .statementTimeout(text)
        case SQLITE_FULL: .full(text)
        case SQLITE_READONLY: .readOnly(text)
        case SQLITE_PERM, SQLITE_AUTH: .accessDenied(text)
        case SQLITE_CORRUPT, SQLITE_NOTADB: .damaged(text)
        case SQLITE_IOERR, SQLITE_CANTOPEN:
            switch systemError {
            case ENOSPC, EDQUOT: .full(text)
            case EROFS: .readOnly(text)
            case EACCES, EPERM: .accessDenied(text)
            // The file of shared memory is extended by writing to it; that fails only if there is no room.
            case _ where code == InputOutput.sharedMemorySize: .full(text)
            default: .unavailable(text)
            }
        case SQLITE_NOMEM, SQLITE_NOLFS: .unavailable(text)
        // An error in a statement, a value that it does not take, or a wrong use of SQLite: an error of this program.
        default: .other(code: String(code), text)
        }
    }
}

/// Extended codes: macros of the form `(A | (n<<8))`, which Swift does not import.
private enum Constraint {
    static let foreignKey = SQLITE_CONSTRAINT | 3 << 8
    static let primaryKey = SQLITE_CONSTRAINT | 6 << 8
    static let trigger = SQLITE_CONSTRAINT | 7 << 8
    static let unique = SQLITE_CONSTRAINT | 8 << 8
    static let rowID = SQLITE_CONSTRAINT | 10 << 8
}

private enum InputOutput {
    static let sharedMemorySize = SQLITE_IOERR | 19 << 8
    static let wrongData = SQLITE_IOERR | 32 << 8
    static let damagedFileSystem = SQLITE_IOERR | 33 << 8
}
