// The two shapes: a data directory with SQLite and files, or PostgreSQL and an S3 store; and whatever lies between.
// This is the one place that knows every driver.

import Cryptography
import Domain
import Filesystem
import Glibc
import HTTPClient
import Persistence
import PostgreSQL
import Registry
import S3
import SQLite
import Settings
import Storage
import Threads

/// An installation that is open: its database at our schema, its storage, its identity.
struct Deployment: Sendable {
    let configuration: Configuration
    let database: any Database
    let storage: any BlobStorage
    let clock: WallClock
    /// This process among those of the installation.
    let instance: UniqueID
    let defaultTenant: TenantID
    /// 32 bytes: encrypts secrets at rest.
    let secretsKey: [UInt8]
    /// Signs URLs of parts where the storage doesn't serve clients itself.
    let partSigner: PartSigner?
    /// Held while the database is SQLite's.
    private let lock: DataLock?

    /// Why an installation can't be opened.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// - Parameters:
    ///   - migrates: whether the schema is brought up to date; else an outdated one is refused.
    ///   - patience: how long somebody who holds the data directory is waited for: a verb holds it for a moment.
    static func open(
        _ configuration: Configuration, migrates: Bool, patience: Duration = .zero
    ) async throws -> Deployment {
        let clock = WallClock.system
        let (database, lock, migrations) = try await self.openDatabase(configuration, patience: patience)
        do {
            if migrates {
                _ = try await Migrator.migrate(database, to: migrations)
            } else {
                let pending = try await Migrator.pending(database, migrations)
                guard pending.isEmpty else {
                    throw Failure(
                        description: "the database lacks \(pending.joined(separator: ", ")): run 'artifortress migrate'"
                    )
                }
            }
            let now = clock.now()
            let (tenant, installation) = try await database.transaction { transaction in
                (
                    try TenantStore.ensureDefault(at: now, transaction),
                    try InstallationStore.settle("installation-id", UniqueID(at: now).description, transaction)
                )
            }
            guard let id = UniqueID(installation) else {
                throw Failure(description: "the database's installation id is no UUID: \(installation)")
            }
            let key = try await SecretsKey.settle(configuration, in: database)
            return Deployment(
                configuration: configuration, database: database,
                storage: try await self.claimStorage(configuration, installation: id, database), clock: clock,
                instance: UniqueID(at: now), defaultTenant: tenant,
                secretsKey: key, partSigner: try await self.partSigner(configuration, key, database), lock: lock)
        } catch {
            await database.close()
            throw error
        }
    }

    private static func openDatabase(
        _ configuration: Configuration, patience: Duration
    ) async throws -> (any Database, DataLock?, [Migration]) {
        let end = ContinuousClock.now + patience
        while true {
            do {
                return try self.openDatabase(configuration)
            } catch let refused as DataLock.Refused where refused.isHeldByAnother && ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    func close() async { await self.database.close() }

    static func openDatabase(
        _ configuration: Configuration
    ) throws -> (any Database, DataLock?, [Migration]) {
        try DataDirectory.make(configuration[.data])
        switch configuration[.databaseURL] {
        case .sqlite(let path):
            let lock = try DataLock(directory: configuration[.data])
            let readers = max(2, configuration.surroundings.processors)
            return (SQLiteDatabase(path: path, readers: readers), lock, SQLiteDatabase.migrations)
        case .postgreSQL(let uri, _):
            let address = try PostgreSQLAddress(parsing: uri.value)
            let database = PostgreSQLDatabase(
                address, connections: configuration[.databasePoolSize],
                pooling: configuration[.databasePooling] == .bouncer ? .bouncer : .direct)
            return (database, nil, PostgreSQLDatabase.migrations)
        }
    }

    /// Opens the storage, and makes a new one this installation's.
    ///
    /// - Throws: ``Failure`` if the storage is not this installation's. A store that does not answer yet is waited for later: until
    ///   then the server is not ready.
    private static func claimStorage(
        _ configuration: Configuration, installation: UniqueID, _ database: any Database
    ) async throws -> any BlobStorage {
        do {
            let storage = try self.openStorage(
                configuration, installation: installation,
                mayClaim: try await StorageOwnership.mayClaim(for: database))
            do {
                try await storage.check()
            } catch StorageFault.foreign(let text) {
                throw StorageFault.foreign(text)
            } catch {}
            return storage
        } catch StorageFault.foreign(let text) {
            throw Failure(description: text)
        }
    }

    /// - Parameter mayClaim: whether a storage without a marker may be taken for a new one.
    static func openStorage(
        _ configuration: Configuration, installation: UniqueID, mayClaim: Bool
    ) throws -> any BlobStorage {
        switch configuration[.storageURL] {
        case .file(let path):
            return try FilesystemStorage(root: path, installation: installation, mayClaim: mayClaim)
        case .s3(let bucket):
            return try S3Storage(
                S3Location(bucket, configuration), installation: installation, mayClaim: mayClaim,
                spoolDirectory: configuration[.data], client: HTTPClient())
        }
    }

    private static func partSigner(
        _ configuration: Configuration, _ key: [UInt8], _ database: any Database
    ) async throws -> PartSigner? {
        guard case .file = configuration[.storageURL] else { return nil }
        do {
            return try await PartSigner.settle(under: key, in: database)
        } catch is SealedBox.Failure {
            throw Failure(
                description: "the database's secrets were encrypted under another secrets.key: every process on one "
                    + "database needs the same")
        }
    }

    var isOnSQLite: Bool { if case .sqlite = self.configuration[.databaseURL] { true } else { false } }
}

/// The directory of the setting `data`.
enum DataDirectory {
    /// Makes it where it isn't there, for our user only.
    static func make(_ path: String) throws {
        guard unsafe mkdir(path, 0o700) != 0, errno != EEXIST else { return }
        throw Deployment.Failure(
            description: "cannot make the data directory \(path): \(unsafe String(cString: strerror(errno)))")
    }
}
