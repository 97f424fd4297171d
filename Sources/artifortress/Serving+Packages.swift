// Packages and their versions.

import API
import Domain
import Registry
import Settings

extension Serving {
    var packageRoutes: [Route] {
        let reading = PackageReading(resolving: self.resolving, database: self.database)
        let packages = PackageRoutes(
            formats: self.packageFormats, reading: reading, resolving: self.resolving,
            files: FileAnswer(storage: self.storage, clock: self.clock))
        let tags = TagRoutes(formats: self.packageFormats, tagging: Tagging(clock: self.clock), reading: reading)
        return self.versionRoutes + packages.routes + tags.routes
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

    var packageFormats: PackageFormats { .standard }

    /// The policy's place: whatever publishes asks it.
    var publishGate: any PublishGate { OpenGate() }
}
