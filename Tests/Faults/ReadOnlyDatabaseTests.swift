// The server on a database that accepts no writes, as after a failover to a standby: 503 for what writes, not ready, and
// downloads go on.

import Domain
import Persistence
import TestSupport
import Testing

@Suite(.enabled(if: Engine.postgreSQL.address != nil), .timeLimit(.minutes(3))) struct ReadOnlyDatabaseTests {
    @Test func `a read-only database is 503 and not ready, and reads go on`() async throws {
        try await SharedStores.with { stores in
            let server = try stores.server("server", ["log.level": "error"])
            defer { server.kill() }
            try await server.start()
            let token = try await server.token()
            try await server.createRepository("files", token: token)
            #expect(try await server.put("/generic/files/before", [1, 2, 3], token: token).status == 201)

            try await Self.alter("SET default_transaction_read_only = on", stores.database)
            let refused = try await server.put("/generic/files/during", [4], token: token)
            #expect(refused.status == 503, "\(refused.text)")
            #expect(refused.text.contains("service_unavailable") && refused.text.contains("read-only"))
            let ready = try await server.get("/health/ready", token: token)
            #expect(ready.status == 503 && ready.text.contains("the database is read-only: writes are rejected"))
            #expect(try await server.get("/generic/files/before", token: token).body == [1, 2, 3])
            #expect(server.log.contains("target_session_attrs=read-write"), "\(server.log)")

            // A start on it succeeds, for reads.
            #expect(try await server.stop() == 0)
            try await server.start()
            #expect(try await server.get("/generic/files/before", token: token).body == [1, 2, 3])

            try await Self.alter("RESET default_transaction_read_only", stores.database)
            let written = try await eventually {
                try await server.put("/generic/files/after", [5], token: token).status == 201
            }
            #expect(written, "\(server.log)")
            #expect(try await server.get("/health/ready", token: token).status == 200)
        }
    }

    /// Changes a setting of the database, and ends all other sessions in it: new ones have it.
    private static func alter(_ change: String, _ database: any Database) async throws {
        let name = try await database.lookup { transaction in
            try transaction.first("SELECT current_database()::text", as: { try $0[0] as String })
        }
        let statement = try "ALTER DATABASE \"\(#require(name))\" \(change)"
        try await database.lookup { try $0.run(script: "BEGIN READ WRITE; \(statement); COMMIT") }
        try await database.lookup { transaction in
            try transaction.run(
                script: "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    + "WHERE datname = current_database() AND pid <> pg_backend_pid()")
        }
    }
}
