// Whether the storage is this installation's, told before anything uses it.

import Domain
import Filesystem
import HTTPClient
import Persistence
import S3
import Settings
import Storage

enum StorageOwnership {
    /// The marker of the storage that the settings name.
    static func marker(_ configuration: Configuration) throws -> any StorageMarker {
        switch configuration[.storageURL] {
        case .file(let path): FilesystemMarker(root: path)
        case .s3(let bucket):
            try S3Marker(S3Location(bucket, configuration), client: HTTPClient(trusting: .s3CAFile, in: configuration))
        }
    }

    /// Whether a storage without a marker may be taken for a new one: only as long as nothing was stored.
    static func mayClaim(for database: any Database) async throws -> Bool {
        try await database.read { try !BlobStore.holdsAny($0) }
    }

    /// Changes nothing.
    ///
    /// - Returns: false if the storage was not used yet.
    /// - Throws: `StorageFault.foreign` if it is not this installation's; what the storage throws.
    static func isSettled(
        _ configuration: Configuration, of installation: UniqueID, _ database: any Database
    ) async throws -> Bool {
        let marker = try self.marker(configuration)
        let owner = try await marker.owner()
        if owner == .unmarked, try await self.mayClaim(for: database) { return false }
        if let fault = StorageFault.foreignStorage(marker.place, owner, expected: installation) { throw fault }
        return true
    }
}

extension S3Location {
    init(_ bucket: StorageURL.Bucket, _ configuration: Configuration) {
        self.init(
            bucket: bucket.name,
            credentials: S3Credentials(
                accessKey: configuration[.s3AccessKey]?.value ?? "",
                secretKey: configuration[.s3SecretKey]?.value ?? ""))
        self.prefix = bucket.prefix
        self.endpoint = bucket.endpoint?.description
        self.region = bucket.region
        self.usesPathStyle = bucket.usesPathStyle
    }
}
