// `artifortress migrate`: brings the database's schema up to this program's. Rules: HTTP contract, section 9, row 36.

import Commands
import Domain
import Persistence
import Settings

enum MigrateVerb {
    static let command = Command(
        name: "migrate", summary: "Bring the database's schema up to this program's.",
        details: "Everything that is missing is applied in one transaction; rivals wait for each other.",
        flags: [Flag("pending", "Only list what would be applied."), .output] + SettingsFlags.all
    ) { invocation in
        let configuration = try SettingsFlags.read(invocation)
        let isListing = invocation.isOn("pending")
        let versions = try await FaultReport(configuration).naming {
            try await Self.versions(configuration, isListing: isListing)
        }
        if invocation.wantsJSON {
            invocation.console.print(
                JSON.object([.init(isListing ? "pending" : "applied", JSON(versions))]).description)
        } else if versions.isEmpty {
            invocation.console.print("the schema is up to date")
        } else {
            for version in versions { invocation.console.print("\(isListing ? "pending" : "applied") \(version)") }
        }
    }

    /// The migrations that are pending, or were applied.
    private static func versions(_ configuration: Configuration, isListing: Bool) async throws -> [String] {
        let (database, lock, migrations) = try Deployment.openDatabase(configuration)
        defer { withExtendedLifetime(lock) {} }
        do {
            let versions =
                isListing
                ? try await Migrator.pending(database, migrations)
                : try await Migrator.migrate(database, to: migrations)
            await database.close()
            return versions
        } catch {
            await database.close()
            throw error
        }
    }
}
