// pgbouncer knows one database: tests on it take turns, each with a fresh schema.

import Domain
import Persistence
import PostgreSQL

enum BouncerPlace {
    private static let turns = Turns()

    static func with(
        _ template: Template, at address: PostgreSQLAddress, _ body: (Place) async throws -> Void
    ) async throws {
        await self.turns.take()
        do {
            let database = PostgreSQLDatabase(address, connections: 1, pooling: .bouncer)
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
        } catch {
            await self.turns.pass()
            throw error
        }
        await self.turns.pass()
    }
}

/// One at a time, first come, first served.
actor Turns {
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func take() async {
        if !self.isTaken {
            self.isTaken = true
            return
        }
        await withCheckedContinuation { self.waiting.append($0) }
    }

    func pass() {
        if self.waiting.isEmpty {
            self.isTaken = false
        } else {
            self.waiting.removeFirst().resume()
        }
    }
}
