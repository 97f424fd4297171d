// Files by path.

import API
import Generic
import Registry
import Settings

extension Serving {
    var genericRoutes: [Route] {
        GenericRoutes(
            publishing: FilePublishing(
                database: self.database, gate: self.publishGate, deduplication: self.deduplication,
                quota: self.admission.storage, clock: self.clock,
                defaultRetentionDays: self.configuration[.tombstoneRetentionDays]),
            intake: Intake(storage: self.storage, keys: self.stagingKeys),
            resolving: self.resolving,
            listing: DirectoryListing(database: self.database),
            checksums: BlobChecksums(database: self.database, storage: self.storage, readers: self.readers),
            files: self.files, database: self.database
        ).routes
    }
}
