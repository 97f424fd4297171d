// Faults have the same names everywhere, and leave a connection that goes on.

import Domain
import Persistence
import TestSupport
import Testing

@Suite struct FaultTests {
    @Test(arguments: Engine.available)
    func `faults have the same names`(engine: Engine) async throws {
        try await engine.withSamples { database in
            let sample = Sample("twice")
            let id = sample.id
            try await database.transaction { transaction in
                try transaction.execute(sample.insert)
                try transaction.execute("INSERT INTO versions (version_id, state) VALUES (\(id), \("published"))")
            }
            await #expect(throws: DatabaseFault.duplicate(table: "samples")) {
                try await database.transaction { try $0.execute(sample.insert) }
            }
            for (statement, isExpected) in [
                (
                    "INSERT INTO entries (version_id, path, size) VALUES (\(UniqueID(high: 1, low: 2)), 'p', 1)",
                    { if case .reference = $0 { true } else { false } }
                ),
                (
                    "UPDATE versions SET note = 'edited' WHERE version_id = \(id)",
                    { if case .immutable = $0 { true } else { false } }
                ),
            ] as [(SQL, (DatabaseFault) -> Bool)] {
                let fault = await #expect(throws: DatabaseFault.self) {
                    try await database.transaction { try $0.execute(statement) }
                }
                #expect(fault.map(isExpected) == true, "\(String(describing: fault))")
            }
            await #expect(throws: DatabaseFault.self) {
                try await database.read { try $0.execute(Sample("w").insert) }
            }
        }
    }

    @Test(arguments: Engine.available)
    func `a statement without end is stopped, and the connection goes on`(engine: Engine) async throws {
        let options = Engine.Options {
            $0.connections = 1
            $0.limit = .milliseconds(200)
        }
        try await engine.withSamples(options) { database in
            let fault = await #expect(throws: DatabaseFault.self) {
                try await database.read { transaction in
                    try transaction.all(
                        """
                        WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT 1 FROM r)
                        SELECT CAST(count(*) AS bigint) FROM r
                        """, as: { try $0[0] as Int })
                }
            }
            if case .statementTimeout = fault {} else { Issue.record("\(String(describing: fault))") }
            try await database.check()
        }
    }

    @Test(arguments: Engine.available)
    func `a transaction whose limits are lifted runs as long as it needs`(engine: Engine) async throws {
        let options = Engine.Options {
            $0.connections = 1
            $0.limit = .milliseconds(50)
        }
        let long: SQL = """
            WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3000000)
            SELECT CAST(count(*) AS bigint) FROM r
            """
        try await engine.withSamples(options) { database in
            let count = try await database.transaction { transaction in
                try transaction.liftLimits()
                return try transaction.first(long, as: { try $0[0] as Int })
            }
            #expect(count == 3_000_000)
            await #expect(throws: DatabaseFault.self) {
                try await database.transaction { try $0.first(long, as: { try $0[0] as Int }) }
            }
        }
    }

    @Test(arguments: Engine.available)
    func `more statements than the cache holds, with faults between`(engine: Engine) async throws {
        try await engine.withSamples(Engine.Options { $0.connections = 1 }) { database in
            let sample = Sample("cached")
            _ = try await database.transaction { try $0.execute(sample.insert) }
            for number in 0..<600 {
                let column = SQL(stringLiteral: "c\(number)")
                let value = try await database.lookup { transaction in
                    try transaction.first("SELECT \(number) AS \(column)", as: { try $0[0] as Int })
                }
                #expect(value == number)
                if number % 50 == 0 {
                    await #expect(throws: DatabaseFault.duplicate(table: "samples")) {
                        try await database.transaction { try $0.execute(sample.insert) }
                    }
                }
            }
        }
    }

    @Test(arguments: Engine.available)
    func `a column added under a prepared statement is met by trying again`(engine: Engine) async throws {
        try await engine.withSamples(Engine.Options { $0.connections = 1 }) { database in
            for round in 0..<3 {
                let states = try await database.read { transaction in
                    try transaction.all("SELECT * FROM versions", as: { try $0[1] as String })
                }
                #expect(states.isEmpty)
                let column = SQL(stringLiteral: "extra\(round)")
                _ = try await database.transaction { transaction in
                    try transaction.execute("ALTER TABLE versions ADD COLUMN \(column) text")
                }
                try await database.transaction { try $0.run(script: "CREATE TABLE t\(round) (x text)") }
            }
        }
    }
}
