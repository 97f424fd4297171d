// Drafts: versions that are being put together. Rules: HTTP contract, 3.5, 6.1 and section 9, rows 26 and 27.

package import Domain
import Persistence
package import Threads

package struct OpenedDraft: Hashable, Sendable {
    package let draft: Draft
    package let isReused: Bool
}

package struct Drafts: Sendable {
    private let formats: PackageFormats
    private let clock: WallClock

    package init(formats: PackageFormats, clock: WallClock) {
        self.formats = formats
        self.clock = clock
    }

    /// Makes a draft, or takes up the one that is there.
    ///
    /// - Throws: `not_found` for the repository; `conflict` where it takes no such package, or the version is published
    ///   or tombstoned; `coordinate_retired`.
    package func open(
        _ coordinate: Coordinate, under grant: Grant, commit: Commit<OpenedDraft>
    ) async throws -> OpenedDraft {
        let sealing = self.formats[coordinate.package.type].sealing
        return try await commit { [now = self.clock.now()] transaction in
            let repository = try RepositoryStore.require(grant.repo, of: grant.tenant, transaction)
            try repository.checkTakes(coordinate.package.type)
            let package = try PackageStore.locked(coordinate.package, in: repository, at: now, transaction)
            let opened: OpenedDraft
            if let present = try VersionStore.find(coordinate.version, of: package, isLocked: true, transaction) {
                guard present.state == .draft else {
                    throw Refusal.conflict(
                        "Version '\(coordinate.version)' is \(present.state.rawValue): it cannot be reused as a draft.")
                }
                opened = OpenedDraft(draft: try present.draft(), isReused: true)
            } else {
                try RetiredCoordinateStore.refuse(coordinate, in: repository.id, transaction)
                let draft = try VersionStore.insertDraft(
                    coordinate, of: package, in: repository, sealing: sealing, by: grant.caller.subject, at: now,
                    transaction)
                opened = OpenedDraft(draft: draft, isReused: false)
            }
            let audit = Announcement(of: opened.draft.version).audit(
                "package.version.draft.\(opened.isReused ? "reused" : "created")", by: grant.caller, at: now)
            try transaction.execute(audit)
            return opened
        }
    }
}

extension Repository {
    /// Whether packages of a type are published here.
    ///
    /// - Throws: `conflict`.
    func checkTakes(_ type: String) throws(Refusal) {
        guard self.kind == .local else {
            throw .conflict("Repository '\(self.key)' is \(self.kind.name): nothing is published there.")
        }
        guard let format = self.format, format != type else { return }
        throw .conflict("Repository '\(self.key)' is for the format '\(format)'.")
    }
}
