// What the databases' error codes become: a case for each class of SQLSTATE, and each primary result code of SQLite.

import Foundation
import Persistence
import PostgreSQL
import SQLite
import Testing

@Suite struct FaultCodeTests {
    /// The name of a fault's case.
    private static func kind(_ fault: DatabaseFault) -> String {
        Mirror(reflecting: fault).children.first?.label ?? "\(fault)"
    }

    @Test(arguments: [
        // Connection and authorization
        ("", "unavailable"), ("08000", "unavailable"), ("08006", "unavailable"), ("08P01", "unavailable"),
        ("28000", "accessDenied"), ("28P01", "accessDenied"), ("3D000", "unavailable"), ("42501", "accessDenied"),
        // Read-only servers and ended sessions
        ("25006", "readOnly"), ("25P03", "unavailable"), ("25P04", "unavailable"), ("25001", "other"),
        // Rolled back: trying again helps, but for a constraint and an unknown outcome
        ("40000", "contention"), ("40001", "contention"), ("40P01", "contention"), ("40002", "other"),
        ("40003", "commitUnknown"), ("55P03", "contention"), ("55006", "contention"), ("72000", "contention"),
        // Constraints
        ("23503", "reference"), ("23001", "reference"), ("23502", "other"), ("23514", "other"), ("23P01", "other"),
        ("AF001", "immutable"),
        // The server's resources
        ("53000", "unavailable"), ("53100", "full"), ("53200", "unavailable"), ("53300", "unavailable"),
        ("53400", "unavailable"), ("57014", "statementTimeout"), ("57P01", "unavailable"), ("57P02", "unavailable"),
        ("57P03", "unavailable"), ("57P04", "unavailable"), ("57P05", "unavailable"), ("58000", "unavailable"),
        ("58030", "unavailable"), ("F0000", "unavailable"), ("XX001", "damaged"), ("XX002", "damaged"),
        // Errors of this program
        ("03000", "other"), ("0A000", "other"), ("0B000", "other"), ("21000", "other"), ("22003", "other"),
        ("22021", "other"), ("24000", "other"), ("26000", "other"), ("2F000", "other"), ("34000", "other"),
        ("38000", "other"), ("3B001", "other"), ("3F000", "other"), ("42601", "other"), ("42P01", "other"),
        ("44000", "other"), ("54000", "other"), ("55000", "other"), ("HV000", "other"), ("P0001", "other"),
        ("XX000", "other"),
    ])
    func `each class of SQLSTATE has its fault`(state: String, kind: String) {
        let fault = DatabaseFault(state: state, message: "what the server says", table: "t")
        #expect(Self.kind(fault) == kind)
        if kind != "other" { #expect(fault.description.contains("what the server says")) }
        #expect(!state.isEmpty == fault.description.contains("SQLSTATE \(state)"))
    }

    @Test func `states that need more than their code`() {
        #expect(DatabaseFault(state: "23505", message: "m", table: "blobs") == .duplicate(table: "blobs"))
        #expect(DatabaseFault(state: "25P02", message: "m") == .poisoned)
        let plan = DatabaseFault(state: "0A000", message: "cached plan must not change result type")
        #expect(Self.kind(plan) == "contention")
    }

    @Test(
        arguments: [
            (1, 0, "other"), (2, 0, "other"), (3, 0, "accessDenied"), (4, 0, "other"), (5, 0, "contention"),
            (517, 0, "contention"), (6, 0, "contention"), (7, 0, "unavailable"), (8, 0, "readOnly"),
            (1032, 0, "readOnly"),
            (9, 0, "statementTimeout"), (10, EIO, "unavailable"), (778, ENOSPC, "full"), (4874, 0, "full"),
            (8202, 0, "damaged"), (8458, 0, "damaged"), (11, 0, "damaged"), (267, 0, "damaged"), (12, 0, "other"),
            (13, 0, "full"), (14, ENOENT, "unavailable"), (14, EACCES, "accessDenied"), (14, EROFS, "readOnly"),
            (14, ENOSPC, "full"), (15, 0, "contention"), (17, 0, "contention"), (18, 0, "other"), (275, 0, "other"),
            (787, 0, "reference"), (20, 0, "other"), (21, 0, "other"), (22, 0, "unavailable"), (23, 0, "accessDenied"),
            (25, 0, "other"), (26, 0, "damaged"),
        ] as [(Int32, Int32, String)])
    func `each result code of SQLite has its fault`(code: Int32, systemError: Int32, kind: String) {
        let fault = DatabaseFault(sqliteCode: code, message: "what SQLite says", systemError: systemError)
        #expect(Self.kind(fault) == kind)
        #expect(fault.description.contains("SQLite code \(code)"))
    }

    @Test func `constraints of SQLite name their table`() {
        let fault = DatabaseFault(sqliteCode: 2067, message: "UNIQUE constraint failed: blobs.digest, blobs.x")
        #expect(fault == .duplicate(table: "blobs"))
        let trigger = DatabaseFault(sqliteCode: 1811, message: "AF001 published")
        #expect(Self.kind(trigger) == "immutable")
    }
}
