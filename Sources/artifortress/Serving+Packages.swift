// Packages and their versions.

import API
import Domain
import Registry
import Settings

extension Serving {
    var packageRoutes: [Route] {
        let reading = PackageReading(resolving: self.resolving, database: self.database)
        let packages = PackageRoutes(
            formats: self.packageFormats, reading: reading, resolving: self.resolving, files: self.files)
        let tags = TagRoutes(formats: self.packageFormats, tagging: Tagging(clock: self.clock), reading: reading)
        let retired = RetiredCoordinateRoutes(
            formats: self.packageFormats, retired: RetiredCoordinates(database: self.database, clock: self.clock))
        let events = EventRoutes(feed: EventFeed(resolving: self.resolving, database: self.database, end: self.feedEnd))
        let attestations = AttestationRoutes(attesting: self.attesting, reading: reading, files: self.files)
        let keys = TrustedKeyRoutes(keys: TrustedKeys(database: self.database, clock: self.clock))
        return [
            self.versionRoutes, self.releaseRoutes, packages.routes, tags.routes, retired.routes, events.routes,
            attestations.routes, keys.routes,
        ].flatMap(\.self)
    }

    var packageSweeps: [Sweep] {
        let retention = EventRetention(
            database: self.database, clock: self.clock, days: self.configuration[.eventRetentionDays])
        return [Sweep("event retention", every: .seconds(3600)) { try await retention.run() }]
    }

    /// Ends with the process's other services, and lets those who wait for events go then.
    var feedEnding: Running {
        Running { [feedEnd] in
            while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
            feedEnd.come()
        }
    }

    private var versionRoutes: [Route] {
        VersionRoutes(
            formats: self.packageFormats, drafts: Drafts(formats: self.packageFormats, clock: self.clock),
            contents: DraftContents(database: self.database, formats: self.packageFormats, clock: self.clock),
            publishing: Publishing(database: self.database, gate: self.publishGate, clock: self.clock),
            tombstoning: Tombstoning(
                clock: self.clock, defaultRetentionDays: self.configuration[.tombstoneRetentionDays])
        ).routes
    }

    private var attesting: Attesting {
        Attesting(
            database: self.database, storage: self.storage,
            intake: Intake(storage: self.storage, keys: self.stagingKeys), deduplication: self.deduplication,
            quota: self.admission.storage, clock: self.clock)
    }

    private var releaseRoutes: [Route] {
        ReleaseRoutes(
            releasing: Releasing(database: self.database, gate: self.publishGate, clock: self.clock),
            reading: ReleaseReading(database: self.database)
        ).routes
    }

    var packageFormats: PackageFormats { .standard }
}
