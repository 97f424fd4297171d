// Upload sessions, and bytes by their digest.

import API
import Domain
import Persistence
import Registry
import Settings
import Threads

extension Serving {
    var uploadRoutes: [Route] {
        let uploads = Uploads(
            database: self.database, storage: self.storage, clock: self.clock, owner: self.deployment.instance,
            limits: self.uploadLimits, signer: self.deployment.partSigner, hashers: self.readers)
        return UploadRoutes(uploads: uploads).routes
            + BlobRoutes(resolving: self.resolving, files: FileAnswer(storage: self.storage, clock: self.clock)).routes
    }

    private var uploadLimits: UploadLimits {
        UploadLimits(
            sessionLifetime: self.configuration[.uploadSessionTTLMinutes] * 60,
            partLifetime: self.configuration[.presignPartTTLSeconds],
            admission: self.admission.standard)
    }

    /// The end of sessions whose time is over.
    var uploadSweeps: [Sweep] {
        let expiry = UploadExpiry(database: self.database, clock: self.clock)
        return [
            Sweep("upload expiry", every: .seconds(self.configuration[.workerPollSeconds])) {
                try await expiry.run()
            }
        ]
    }
}
