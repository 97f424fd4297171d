// Signs of life: without them, a worker takes a server for dead and sweeps what that has staged. Rules: architecture,
// section 6 (Delete).

import Domain
import Foundation
import Persistence
import PostgreSQL
import TestSupport
import Testing

@Suite(.enabled(if: Engine.postgreSQL.address != nil)) struct SignOfLifeTests {
    @Test func `a server that leaves the work to others gives signs of life`() async throws {
        let directory = NSTemporaryDirectory() + "artifortress-signs-\(UniqueID.random().hex)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await Engine.postgreSQL.withPlace(of: Template(migrated: Engine.postgreSQL.migrations)) { place in
            guard case .server(let address, _) = place else { return }
            let database = place.open()
            let server = ServerProcess(
                directory: directory,
                settings: [
                    "data": "\(directory)/data", "listen": "127.0.0.1:0", "auth.bootstrapToken": "test-bootstrap",
                    "database.url": try Shape.postgreSQLURL(database: address.database ?? ""),
                    "database.poolSize": "4", "storage.url": "file:\(directory)/objects",
                    "secrets.key": String(repeating: "5a", count: 32), "roles": "api",
                ])
            do {
                try await server.start()
                let first = try #require(try await Self.lastSign(database))
                // Twice: the first may be the start's own.
                for _ in 0..<2 {
                    let last = try await Self.lastSign(database) ?? first
                    #expect(try await eventually { try await Self.lastSign(database) ?? last > last })
                }
            } catch {
                server.kill()
                await database.close()
                throw error
            }
            server.kill()
            await database.close()
        }
    }

    private static func lastSign(_ database: any Database) async throws -> Timestamp? {
        try await database.lookup { transaction in
            try transaction.first("SELECT seen_at FROM instances", as: { try $0[0] as Timestamp })
        }
    }
}
