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
    /// Signs URLs of parts where the storage does not serve clients itself.
    let partSigner: PartSigner?
    /// Held while the database is SQLite's.
    private let lock: DataLock?

    /// Why an installation cannot be opened.
    struct Failure: Fault {
        let description: String
    }

    /// - Parameters:
    ///   - migrates: whether the schema is brought up to date; else an outdated one is refused.
    ///   - lockTimeout: how long to wait for another process to release the data directory: a verb holds it for a moment.
    /// - Throws: also faults of database and storage, and `DataLock.Refused`: the verbs name the settings concerned.
    static func open(
        _ configuration: Configuration, migrates: Bool, lockTimeout: Duration = .zero
    ) async throws -> Deployment {
        try AuthorityFiles.check(configuration)
        let clock = WallClock.system
        let (database, lock, migrations) = try await self.openDatabase(configuration, lockTimeout: lockTimeout)
        do {
            // Nothing is written if everything is there: on a full disk, and on a standby, what is stored can be read.
            let pending = try await Migrator.pending(database, migrations)
            if migrates, !pending.isEmpty {
                _ = try await Migrator.migrate(database, to: migrations)
            } else if !pending.isEmpty {
                throw Failure(
                    description: "the database lacks \(pending.joined(separator: ", ")); run 'artifortress migrate'")
            }
            let now = clock.now()
            let (tenant, installation) = try await self.identity(in: database, at: now)
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

    /// The default tenant and the installation's id, both made by the first start.
    private static func identity(
        in database: any Database, at now: Timestamp
    ) async throws -> (tenant: TenantID, installation: String) {
        let (tenant, installation) = try await database.read { transaction in
            (
                try TenantStore.id(of: TenantSlug.standard.text, transaction),
                try InstallationStore.value("installation-id", transaction)
            )
        }
        if let tenant, let installation { return (tenant, installation) }
        return try await database.transaction { transaction in
            (
                try TenantStore.ensureDefault(at: now, transaction),
                try InstallationStore.settle("installation-id", UniqueID(at: now).description, transaction)
            )
        }
    }

    private static func openDatabase(
        _ configuration: Configuration, lockTimeout: Duration
    ) async throws -> (any Database, DataLock?, [Migration]) {
        let end = ContinuousClock.now + lockTimeout
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
        try DataDirectory.make(configuration)
        let lock: DataLock? =
            if case .sqlite = configuration[.databaseURL] { try DataLock(directory: configuration[.data]) } else { nil }
        let (database, migrations) = try self.connect(configuration)
        return (database, lock, migrations)
    }

    /// The database and the schema that this program needs.
    static func connect(_ configuration: Configuration) throws -> (any Database, [Migration]) {
        switch configuration[.databaseURL] {
        case .sqlite(let path):
            let readers = max(2, configuration.surroundings.processors)
            return (
                SQLiteDatabase(path: path, readers: readers, reserve: SQLiteDatabase.standardReserve),
                SQLiteDatabase.migrations
            )
        case .postgreSQL(let uri, _):
            let address = try PostgreSQLAddress(parsing: uri.value)
            let database = PostgreSQLDatabase(
                address, connections: configuration[.databasePoolSize],
                pooling: configuration[.databasePooling] == .bouncer ? .bouncer : .direct)
            return (database, PostgreSQLDatabase.migrations)
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
                spoolDirectory: configuration[.data], client: HTTPClient(trusting: .s3CAFile, in: configuration))
        }
    }

    private static func partSigner(
        _ configuration: Configuration, _ key: [UInt8], _ database: any Database
    ) async throws -> PartSigner? {
        guard case .file = configuration[.storageURL] else { return nil }
        do {
            return try await PartSigner.settle(under: key, in: database)
        } catch let error as SealedBox.Failure {
            throw Failure(description: FaultReport(configuration).words(for: error))
        }
    }

    var isOnSQLite: Bool { if case .sqlite = self.configuration[.databaseURL] { true } else { false } }
}

/// The directory of the setting `data`.
enum DataDirectory {
    /// Creates it if it does not exist, for our user only.
    static func make(_ configuration: Configuration) throws {
        let path = configuration[.data]
        guard unsafe mkdir(path, 0o700) != 0, errno != EEXIST else { return }
        let reason = unsafe String(cString: strerror(errno))
        throw Deployment.Failure(
            description: "data = \(path) (\(configuration.source(of: .data))): cannot create the directory: \(reason); "
                + "create it for the user that runs this program, or set 'data' to another one")
    }
}
