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
            + BlobRoutes(resolving: self.resolving, files: self.files).routes
    }

    /// Looks at stored objects before something new refers to them.
    var deduplication: Deduplication {
        Deduplication(storage: self.storage, threads: self.readers, clock: self.clock)
    }

    /// How stored bytes are sent, whatever asks for them.
    var files: FileAnswer {
        FileAnswer(
            storage: self.storage, clock: self.clock,
            watch: DownloadWatch(
                verifiers: self.configuration[.verifyOnRead] ? self.readers : nil,
                report: self.observation.record(_:)))
    }

    private var uploadLimits: UploadLimits {
        UploadLimits(
            sessionLifetime: self.configuration[.uploadSessionTTLMinutes] * 60,
            partLifetime: self.configuration[.presignPartTTLSeconds],
            admission: self.admission.standard)
    }

    /// Aborts expired sessions and deletes unknown objects.
    var uploadSweeps: [Sweep] {
        let expiry = UploadExpiry(database: self.database, clock: self.clock)
        let storage = StorageSweep(
            database: self.database, storage: self.storage, clock: self.clock,
            age: StorageSweep.safeAge(sessionLifetime: self.uploadLimits.sessionLifetime))
        let observation = self.observation
        return [
            Sweep("upload expiry", every: .seconds(self.configuration[.workerPollSeconds])) {
                try await expiry.run()
            },
            Sweep("storage sweep", every: .seconds(600)) { observation.record(try await storage.run()) },
        ]
    }
}
