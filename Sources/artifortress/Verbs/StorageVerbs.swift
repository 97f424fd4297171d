// `artifortress storage adopt`: makes a storage this installation's, after a marker was lost or a storage changed hands.

import Commands
import Domain
import Persistence
import Registry
import SQLite
import Settings
import Storage
import Threads

enum StorageVerbs {
    static let command = Command(
        name: "storage", summary: "Make a storage this installation's.", verbs: [adopt])

    private static let adopt = Command(
        name: "adopt", summary: "Write the storage's missing marker, or take over another installation's storage.",
        details:
            "All servers and workers of this installation must be stopped. Stored objects that the database does not "
            + "know are kept until the hold 'storage-sweep-hold' is removed.",
        flags: [
            Flag("installation", "ID", "The installation that the storage belongs to now: required to take it over."),
            .output,
        ] + SettingsFlags.all
    ) { invocation in
        let configuration = try SettingsFlags.read(invocation)
        let named = try invocation["installation"].map { text in
            guard let id = UniqueID(text) else {
                throw UsageFault("--installation: '\(text)'; allowed: the id in the storage's marker, a UUID")
            }
            return id
        }
        let adoption = try await StorageAdoption.run(configuration, from: named)
        invocation.answer(adoption.json) { _ in [adoption.line] }
    }
}

/// What was done to a storage's marker.
struct StorageAdoption: Sendable {
    private let place: String
    private let installation: UniqueID
    private let former: StorageOwner

    var line: String {
        self.former == .installation(self.installation)
            ? "\(self.place) names this installation, \(self.installation): nothing to do"
            : "\(self.place) names this installation now, \(self.installation); stored objects that the database does not "
                + "know are kept until the hold '\(StorageSweep.holdName)' is removed"
    }

    var json: JSON {
        [
            "marker": .string(self.place), "installationId": .string(self.installation.description),
            "formerInstallationId": self.former == .unmarked ? .null : .string(self.former.description),
            "adopted": .bool(self.former != .installation(self.installation)),
        ]
    }

    /// - Parameter named: the installation that may lose the storage.
    static func run(_ configuration: Configuration, from named: UniqueID?) async throws -> StorageAdoption {
        let (database, lock, migrations) = try self.open(configuration)
        defer { withExtendedLifetime(lock) {} }
        do {
            let pending = try await Migrator.pending(database, migrations)
            guard pending.isEmpty else {
                throw Deployment.Failure(
                    description: "the database lacks \(pending.joined(separator: ", ")): run 'artifortress migrate'")
            }
            let adoption = try await self.run(configuration, from: named, database)
            await database.close()
            return adoption
        } catch {
            await database.close()
            throw error
        }
    }

    private static func open(
        _ configuration: Configuration
    ) throws -> (any Database, DataLock?, [Migration]) {
        do {
            return try Deployment.openDatabase(configuration)
        } catch let refused as DataLock.Refused where refused.isHeldByAnother {
            throw Deployment.Failure(description: "\(refused): stop it first")
        }
    }

    private static func run(
        _ configuration: Configuration, from named: UniqueID?, _ database: any Database
    ) async throws -> StorageAdoption {
        let now = WallClock.system.now()
        let (kept, seen) = try await database.read { transaction in
            (
                try InstallationStore.value("installation-id", transaction),
                try InstanceStore.lastSign(transaction)
            )
        }
        guard let installation = kept.flatMap({ UniqueID($0) }) else {
            throw Deployment.Failure(
                description:
                    "the database was not used by a server yet: the first start marks an empty storage as its own")
        }
        if database.name == "postgres", let seen, seen > now + -ObjectSweep.heartbeatTimeout {
            throw Deployment.Failure(
                description:
                    "a server or worker of this installation was running at \(seen): stop all of them first (one that "
                    + "was killed counts as running for \(ObjectSweep.heartbeatTimeout) seconds)")
        }
        let marker = try StorageOwnership.marker(configuration)
        let former = try await marker.owner()
        let adoption = StorageAdoption(place: marker.place, installation: installation, former: former)
        switch former {
        case .installation(installation): return adoption
        case .unmarked:
            guard named == nil || named == installation else {
                throw Deployment.Failure(
                    description:
                        "\(marker.place) does not exist, so the storage is not installation \(named?.description ?? "")'s: "
                        + "leave --installation out to write the marker of \(installation)")
            }
        case .installation(let other):
            guard named == other else {
                throw Deployment.Failure(
                    description:
                        "\(marker.place) says that the storage belongs to installation \(other): to take it over, "
                        + "repeat with --installation \(other); that installation can no longer use it then")
            }
        case .unreadable(let text):
            throw Deployment.Failure(
                description: "\(marker.place) holds '\(text)', which is no installation id: remove it and repeat")
        }
        // The hold comes first: without it, a sweep would delete what this database does not know.
        try await database.transaction { transaction in
            let tenant = try TenantStore.ensureDefault(at: now, transaction)
            try InstallationStore.set(StorageSweep.holdName, "adopted at \(now)", transaction)
            try AuditLog.append(
                AuditEntry(
                    "storage.adopted", on: "storage", installation,
                    ["marker": marker.place, "formerInstallation": former.description]),
                by: .local(in: tenant, correlation: .random()), at: now, transaction)
        }
        try await marker.write(installation)
        return adoption
    }
}
