// Every database that a test can run on: SQLite always, PostgreSQL where its address is in the environment
// (ARTIFORTRESS_TEST_POSTGRES_URL), and the same behind pgbouncer (ARTIFORTRESS_TEST_BOUNCER_URL).

import Domain
import Foundation
package import Persistence
package import PostgreSQL
package import SQLite

/// A kind of database. Each test has one of its own, so that suites run beside each other.
package enum Engine: String, CaseIterable, Sendable, CustomStringConvertible {
    case sqlite, postgreSQL, bouncer

    package static let available = allCases.filter { $0 == .sqlite || $0.address != nil }

    /// What most suites run on: the bouncer is the drivers' matter.
    package static let direct = available.filter { $0 != .bouncer }

    package var description: String { self.rawValue }

    package var dialect: Dialect { self == .sqlite ? .sqlite : .postgreSQL }

    /// The whole schema.
    package var migrations: [Migration] {
        self == .sqlite ? SQLiteDatabase.migrations : PostgreSQLDatabase.migrations
    }

    package var address: PostgreSQLAddress? {
        switch self {
        case .sqlite: nil
        case .postgreSQL: Self.address(from: "ARTIFORTRESS_TEST_POSTGRES_URL")
        case .bouncer: Self.address(from: "ARTIFORTRESS_TEST_BOUNCER_URL")
        }
    }

    private static func address(from variable: String) -> PostgreSQLAddress? {
        guard let text = ProcessInfo.processInfo.environment[variable], !text.isEmpty else { return nil }
        do {
            return try PostgreSQLAddress(parsing: text)
        } catch {
            preconditionFailure("\(variable): \(error)")
        }
    }

    /// How a test's database is opened.
    package struct Options: Sendable {
        package var connections = 4
        package var queueTimeout = Duration.seconds(60)
        /// How long a statement may run.
        package var limit = Duration.seconds(60)
        /// SQLite's: the length of the log from which on readers are waited for, in bytes.
        package var logLimit = 64 << 20
        package var durability = Durability.normal

        package init() {}

        package init(_ change: (inout Options) -> Void) { change(&self) }
    }

    /// Calls `body` with an empty database that has the whole schema, or `migrations`; nothing is left of it.
    package func withDatabase(
        _ migrations: [Migration]? = nil, _ options: Options = Options(),
        _ body: (any Database) async throws -> Void
    ) async throws {
        try await self.withPlace(of: Template(migrated: migrations ?? self.migrations)) { place in
            let database = place.open(options)
            do {
                try await body(database)
            } catch {
                await database.close()
                throw error
            }
            await database.close()
        }
    }

    /// Calls `body` with the place of a copy of `template`, for tests that open a database more than once.
    package func withPlace(of template: Template, _ body: (Place) async throws -> Void) async throws {
        switch self {
        case .sqlite: try await SQLitePlaces.with(template, body)
        case .postgreSQL: try await PostgreSQLPlaces.with(template, at: self.address!, body)
        case .bouncer: try await BouncerPlace.with(template, at: self.address!, body)
        }
    }
}

/// Where a test's database is.
package enum Place: Sendable {
    case file(String)
    case server(PostgreSQLAddress, Pooling)

    package func open(_ options: Engine.Options = Engine.Options()) -> any Database {
        switch self {
        case .file(let path):
            return SQLiteDatabase(
                path: path, readers: options.connections, durability: options.durability,
                queueTimeout: options.queueTimeout,
                limit: options.limit, logLimit: options.logLimit)
        case .server(let address, let pooling):
            var limits = Limits()
            limits.statement = Int(options.limit / .milliseconds(1))
            return PostgreSQLDatabase(
                address, connections: options.connections, pooling: pooling, limits: limits,
                queueTimeout: options.queueTimeout)
        }
    }
}
