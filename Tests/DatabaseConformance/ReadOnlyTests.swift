// A PostgreSQL server that accepts no writes, as after a failover: reads go on, writes are faults of their own kind, and
// connections are replaced, so that the first write after its end succeeds.

import Domain
import Foundation
import Persistence
import PostgreSQL
import TestSupport
import Testing

@Suite(.enabled(if: Engine.available.contains(.postgreSQL) && PostgreSQLCluster.programs != nil), .serialized)
struct ReadOnlyTests {
    private static func isReadOnly(_ body: () async throws -> some Any) async -> Bool {
        do {
            _ = try await body()
            return false
        } catch DatabaseFault.readOnly {
            return true
        } catch {
            Issue.record("\(error)")
            return false
        }
    }

    private static func identifiers(_ database: any Database) async throws -> Int {
        try await database.lookup { try $0.first("SELECT pg_backend_pid()::bigint", as: { try $0[0] as Int }) } ?? 0
    }

    @Test func `a server that became read-only is not ready, serves reads, and is written to when it may be`()
        async throws
    {
        try await PostgreSQLCluster.with { cluster in
            let administrator = PostgreSQLDatabase(cluster.address, connections: 1)
            let database = PostgreSQLDatabase(cluster.address, connections: 3)
            func run(_ statement: String) async throws {
                try await administrator.lookup { try $0.run(script: statement) }
            }
            try await Migrator.migrate(database, to: Sample.migrations(for: .postgreSQL))
            let before = Sample("before")
            _ = try await database.transaction { try $0.execute(before.insert) }
            try await database.check()
            let first = try await Self.identifiers(database)

            try await run("ALTER SYSTEM SET default_transaction_read_only = on")
            try await run("SELECT pg_reload_conf()")
            #expect(await eventually { await Self.isReadOnly { try await database.check() } })
            for number in 0..<5 {
                let sample = Sample("rejected \(number)")
                #expect(await Self.isReadOnly { try await database.transaction { try $0.execute(sample.insert) } })
                let count = try await database.read { transaction in
                    try transaction.first("SELECT count(*) FROM samples", as: { try $0[0] as Int })
                }
                #expect(count == 1)
            }

            try await run("ALTER SYSTEM RESET default_transaction_read_only")
            try await run("SELECT pg_reload_conf()")
            #expect(await eventually { (try? await database.check()) != nil })
            _ = try await database.transaction { try $0.execute(Sample("after").insert) }
            // The connections from before are gone.
            let pids = try await database.lookup { transaction in
                try transaction.all("SELECT pid::bigint FROM pg_stat_activity", as: { try $0[0] as Int })
            }
            #expect(!pids.contains(first))
            await database.close()
            await administrator.close()
        }
    }

    @Test func `a role without the right to write is denied access`() async throws {
        try await PostgreSQLCluster.with { cluster in
            let owner = PostgreSQLDatabase(cluster.address, connections: 1)
            try await Migrator.migrate(owner, to: Sample.migrations(for: .postgreSQL))
            try await owner.lookup { transaction in
                try transaction.run(
                    script: "CREATE ROLE reader LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
            }
            let address = try PostgreSQLAddress(parsing: "postgres://reader@/postgres?host=\(cluster.socketDirectory)")
            let reader = PostgreSQLDatabase(address, connections: 1)
            let fault = await #expect(throws: DatabaseFault.self) {
                try await reader.transaction { try $0.execute(Sample("x").insert) }
            }
            if case .accessDenied? = fault {} else { Issue.record("\(String(describing: fault))") }
            try await reader.check()
            await reader.close()
            await owner.close()
        }
    }

    @Test(.timeLimit(.minutes(1))) func `closing does not wait for a server that never answers`() async throws {
        let silent = RawServer { client in client.awaitEnd() }
        let address = try PostgreSQLAddress(parsing: "postgres://x@127.0.0.1:\(silent.port)/x?connect_timeout=600")
        let database = PostgreSQLDatabase(address, connections: 2)
        let wakeUps = database.listen(Channel("drill"))
        let time = await ContinuousClock().measure { await database.close() }
        #expect(time < .seconds(20), "\(time)")
        withExtendedLifetime(wakeUps) {}
    }

    @Test(.timeLimit(.minutes(1))) func `a silent first host does not keep the second from being reached`() async throws
    {
        let silent = RawServer { client in client.awaitEnd() }
        try await PostgreSQLCluster.with { cluster in
            let address = try PostgreSQLAddress(
                parsing: "postgres:///postgres?user=artifortress&host=127.0.0.1,\(cluster.socketDirectory)"
                    + "&port=\(silent.port),5432&connect_timeout=2")
            let database = PostgreSQLDatabase(address, connections: 1)
            #expect(await eventually { (try? await database.check()) != nil })
            await database.close()
        }
    }
}
