// Signs of life: without them, a worker takes a server for dead and sweeps what that has staged. Rules: architecture,
// section 6 (Delete).

import Domain
import Persistence
import TestSupport
import Testing

@Suite(.enabled(if: Engine.postgreSQL.address != nil)) struct SignOfLifeTests {
    @Test func `a server that leaves the work to others gives signs of life`() async throws {
        try await SharedStores.with { stores in
            let server = try stores.server("api", ["roles": "api"])
            defer { server.kill() }
            try await server.start()
            let first = try #require(try await Self.lastSign(stores.database))
            // Twice: the first may be the start's own.
            for _ in 0..<2 {
                let last = try await Self.lastSign(stores.database) ?? first
                #expect(try await eventually { try await Self.lastSign(stores.database) ?? last > last })
            }
        }
    }

    private static func lastSign(_ database: any Database) async throws -> Timestamp? {
        try await database.lookup { transaction in
            try transaction.first("SELECT seen_at FROM instances", as: { try $0[0] as Timestamp })
        }
    }
}
