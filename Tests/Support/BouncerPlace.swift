// pgbouncer knows one database: tests on it take turns, each with a fresh schema.

import Domain
import Persistence
import PostgreSQL

enum BouncerPlace {
    static func with(
        _ template: Template, at address: PostgreSQLAddress, _ body: (Place) async throws -> Void
    ) async throws {
        try await Gate.bouncer.pass {
            // All of a schema goes at once here, which takes a busy machine longer than a request may take.
            var limits = Limits()
            (limits.statement, limits.lock) = (120_000, 120_000)
            let database = PostgreSQLDatabase(
                address, connections: 1, pooling: .bouncer, limits: limits, queueTimeout: .seconds(300))
            do {
                try await database.transaction { transaction in
                    try transaction.run(
                        script: """
                            SET LOCAL client_min_messages = error; DROP SCHEMA IF EXISTS public CASCADE; \
                            CREATE SCHEMA public
                            """)
                }
                try await template.fill(database)
            } catch {
                await database.close()
                throw error
            }
            await database.close()
            try await body(.server(address, .bouncer))
        }
    }
}
