// What several processes share: a database of PostgreSQL, and a folder of objects.

import Domain
import Foundation
package import Persistence
import PostgreSQL

package struct SharedStores: Sendable {
    /// The processes' folders, their logs and their objects.
    package let directory: String
    package let database: any Database
    private let url: String

    /// Calls `body` with empty stores; nothing is left of them, nor of processes that `body` has from here.
    package static func with(_ body: (SharedStores) async throws -> Void) async throws {
        let directory = NSTemporaryDirectory() + "artifortress-test-\(UniqueID.random().hex)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await Engine.postgreSQL.withPlace(of: Template(migrated: Engine.postgreSQL.migrations)) { place in
            guard case .server(let address, _) = place else { return }
            let stores = SharedStores(
                directory: directory, database: place.open(),
                url: try Shape.postgreSQLURL(database: address.database ?? ""))
            do {
                try await body(stores)
            } catch {
                await stores.database.close()
                throw error
            }
            await stores.database.close()
        }
    }

    /// Of a process called `name`, for which a folder is made.
    package func settings(_ name: String, _ further: [String: String] = [:]) throws -> [String: String] {
        try FileManager.default.createDirectory(
            atPath: "\(self.directory)/\(name)", withIntermediateDirectories: true)
        return [
            "data": "\(self.directory)/\(name)/data", "auth.bootstrapToken": "test-bootstrap",
            "database.url": self.url, "database.poolSize": "4", "storage.url": "file:\(self.directory)/objects",
            "secrets.key": String(repeating: "5a", count: 32),  // processes on one database share it
        ].merging(further) { $1 }
    }

    /// A server, to be started and killed by the test.
    package func server(_ name: String, _ further: [String: String] = [:]) throws -> ServerProcess {
        let settings = try self.settings(name, ["listen": "127.0.0.1:0"].merging(further) { $1 })
        return ServerProcess(directory: "\(self.directory)/\(name)", settings: settings)
    }
}
