// PostgreSQL's templates and copies: databases beside the one that the test's address names, which itself stays as it
// is. Templates are left for the next run; a test's cluster is thrown away in the end.

import Domain
import Persistence
import PostgreSQL
import Synchronization

enum PostgreSQLPlaces {
    private static let shelf = TemplateShelf()

    /// The template itself, which nothing else is copied from.
    static func shared(_ template: Template, at address: PostgreSQLAddress) async throws -> Place {
        let maintenance = Maintenance.of(address)
        try await self.shelf.ensure("\(address) \(template.name)") {
            try await self.make(template, at: address, by: maintenance)
        }
        return .server(address.with(database: template.name), .direct)
    }

    static func with(
        _ template: Template, at address: PostgreSQLAddress, _ body: (Place) async throws -> Void
    ) async throws {
        try await Gate.postgreSQL.pass { try await self.withCopy(of: template, at: address, body) }
    }

    private static func withCopy(
        of template: Template, at address: PostgreSQLAddress, _ body: (Place) async throws -> Void
    ) async throws {
        let maintenance = Maintenance.of(address)
        _ = try await self.shared(template, at: address)
        let copy = "artifortress_test_\(UniqueID.random().hex)"
        try await maintenance.run("CREATE DATABASE \(copy) TEMPLATE \(template.name) STRATEGY file_copy")
        do {
            try await body(.server(address.with(database: copy), .direct))
        } catch {
            try? await maintenance.drop(copy)
            throw error
        }
        try await maintenance.drop(copy)
    }

    /// Made under another name and then renamed, so that another process never copies half of it.
    private static func make(
        _ template: Template, at address: PostgreSQLAddress, by maintenance: Maintenance
    ) async throws {
        if try await maintenance.has(template.name) { return }
        let draft = "artifortress_draft_\(UniqueID.random().hex)"
        try await maintenance.run("CREATE DATABASE \(draft) TEMPLATE template0")
        let database = PostgreSQLDatabase(address.with(database: draft), connections: 1)
        do {
            try await template.fill(database)
        } catch {
            await database.close()
            try await maintenance.drop(draft)
            throw error
        }
        await database.close()
        do {
            try await maintenance.run("ALTER DATABASE \(draft) RENAME TO \(template.name)")
        } catch {
            try await maintenance.drop(draft)
            guard try await maintenance.has(template.name) else { throw error }
        }
    }
}

/// Where databases are made and dropped: outside transactions, with all the time that takes on a busy machine.
final class Maintenance: Sendable {
    private static let known = Mutex<[String: Maintenance]>([:])

    static func of(_ address: PostgreSQLAddress) -> Maintenance {
        self.known.withLock { known in
            if let maintenance = known["\(address)"] { return maintenance }
            let maintenance = Maintenance(address)
            known["\(address)"] = maintenance
            return maintenance
        }
    }

    private let database: PostgreSQLDatabase

    private init(_ address: PostgreSQLAddress) {
        var limits = Limits()
        limits.statement = 120_000
        self.database = PostgreSQLDatabase(address, connections: 4, limits: limits, queueTimeout: .seconds(300))
    }

    func run(_ statement: String) async throws {
        try await self.database.lookup { try $0.run(script: statement) }
    }

    /// Forced, since a connection that was closed may linger. Where the server's own vacuum is at work there, only an
    /// unforced drop may end that.
    func drop(_ name: String) async throws {
        let end = ContinuousClock.now + .seconds(60)
        while true {
            do {
                return try await self.run("DROP DATABASE \(name) WITH (FORCE)")
            } catch {
                guard try await self.has(name) else { return }
                if (try? await self.run("DROP DATABASE \(name)")) != nil { return }
                guard .now < end else { throw error }
            }
        }
    }

    func has(_ name: String) async throws -> Bool {
        try await self.database.lookup { transaction in
            try transaction.first(
                "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = \(name))", as: { try $0[0] as Bool })
        } == true
    }
}
