// Bringing a database to a program's schema. Rules: HTTP contract, section 9, row 36.

import Persistence
import TestSupport
import Testing

@Suite struct MigratorTests {
    private static func step(_ number: Int, oldestLevel: Int, _ script: String) -> Migration {
        Migration("V000\(number)_step", oldestLevel: oldestLevel, script: Array(script.utf8))
    }

    private static let first = step(1, oldestLevel: 1, "CREATE TABLE a (x bigint)")
    private static let adding = step(2, oldestLevel: 1, "CREATE TABLE b (x bigint)")
    private static let breaking = step(3, oldestLevel: 3, "DROP TABLE a")

    @Test(arguments: Engine.available)
    func `rivals apply each migration once`(engine: Engine) async throws {
        try await engine.withDatabase([]) { database in
            let missing = try await Migrator.pending(database, engine.migrations)
            #expect(missing == engine.migrations.map(\.version))
            let applied = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<4 { group.addTask { try await Migrator.migrate(database, to: engine.migrations) } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(applied == engine.migrations.map(\.version))
            let left = try await Migrator.pending(database, engine.migrations)
            #expect(left == [])
        }
    }

    @Test(arguments: Engine.available)
    func `a broken migration leaves nothing of its company`(engine: Engine) async throws {
        try await engine.withDatabase([Self.first]) { database in
            let broken = Self.step(3, oldestLevel: 1, "CREATE TABLE y (x bigint); nonsense")
            await #expect(throws: DatabaseFault.self) {
                try await Migrator.migrate(database, to: [Self.first, Self.adding, broken])
            }
            let missing = try await Migrator.pending(database, [Self.first, Self.adding])
            #expect(missing == ["V0002_step"])
            let applied = try await Migrator.migrate(database, to: [Self.first, Self.adding])
            #expect(applied == ["V0002_step"])
        }
    }

    @Test(arguments: Engine.available)
    func `an edited migration is refused`(engine: Engine) async throws {
        try await engine.withDatabase([Self.first]) { database in
            let edited = Self.step(1, oldestLevel: 1, "CREATE TABLE a (x bigint, y bigint)")
            for _ in 1...2 {
                await #expect(throws: DatabaseFault.migration("V0001_step was edited after its release")) {
                    try await Migrator.migrate(database, to: [edited])
                }
            }
            await #expect(throws: DatabaseFault.self) { try await Migrator.pending(database, [edited]) }
        }
    }

    @Test(arguments: Engine.available)
    func `an older program goes on where the newer schema admits it, and is refused where not`(
        engine: Engine
    ) async throws {
        try await engine.withDatabase([Self.first, Self.adding]) { database in
            let applied = try await Migrator.migrate(database, to: [Self.first])
            #expect(applied == [])
            let missing = try await Migrator.pending(database, [Self.first])
            #expect(missing == [])
            try await Migrator.migrate(database, to: [Self.first, Self.adding, Self.breaking])
            for program in [[Self.first], [Self.first, Self.adding]] {
                let fault = await #expect(throws: DatabaseFault.self) {
                    try await Migrator.migrate(database, to: program)
                }
                guard case .migration(let text) = fault else {
                    Issue.record("\(String(describing: fault))")
                    return
                }
                #expect(text.contains("newer than this program") && text.contains("V0003_step"))
            }
        }
    }
}
