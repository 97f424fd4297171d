// Versions in quarantine: what waits for a decision, and the decision. Rules: HTTP contract, 3.6, 6.3 and section 9, rows 5 and
// 37; who sees such a version: architecture, section 5.

package import Domain
package import Persistence
package import Threads

package struct Quarantining: Sendable {
    private let database: any Database
    private let clock: WallClock

    package init(database: any Database, clock: WallClock) {
        self.database = database
        self.clock = clock
    }

    /// The newest first.
    ///
    /// - Parameter status: nil for every one.
    /// - Throws: `not_found` for the repository.
    package func list(
        _ status: QuarantineStatus?, after position: QuarantineStore.Position?, limit: Int, under grant: Grant
    ) async throws -> [QuarantineItem] {
        try await self.database.read { transaction in
            let repository = try RepositoryStore.require(grant.repo, of: grant.tenant, transaction)
            return try QuarantineStore.page(status, of: repository.id, after: position, limit: limit, transaction)
        }
    }

    /// - Throws: `not_found` for repository or item.
    package func find(_ id: QuarantineID, under grant: Grant) async throws -> QuarantineItem {
        try await self.database.read { transaction in
            let repository = try RepositoryStore.require(grant.repo, of: grant.tenant, transaction)
            return try QuarantineStore.require(id, in: repository.id, transaction)
        }
    }

    /// Lets a version out to its readers, or withholds it for good. Evaluations that put it there have
    /// been answered.
    ///
    /// - Throws: `not_found` for repository or item; `conflict` where it was decided before.
    package func resolve(
        _ id: QuarantineID, as decision: QuarantineDecision, under grant: Grant, commit: Commit<QuarantineItem>
    ) async throws -> QuarantineItem {
        try await commit { [now = self.clock.now()] transaction in
            let repository = try RepositoryStore.require(grant.repo, of: grant.tenant, transaction)
            // The version's row first, as everywhere: a publish that is under way waits, or is waited for.
            let found = try QuarantineStore.require(id, in: repository.id, transaction)
            let version = try VersionStore.require(
                found.version, in: grant.repo, of: grant.tenant, locked: true, transaction)
            let item = try QuarantineStore.require(id, in: repository.id, isLocked: true, transaction)
                .resolved(as: decision, by: grant.caller.subject, at: now)
            try QuarantineStore.resolve(item, transaction)
            try PolicyEvaluationStore.spendQuarantine(of: version.id, at: now, transaction)
            try AuditLog.append(
                AuditEntry(
                    "quarantine.\(item.status.rawValue)", on: "quarantine_item", item.id,
                    [
                        "repoKey": grant.repo.text, "versionId": version.id.description,
                        "status": item.status.rawValue, "approvalId": "",
                    ]), by: grant.caller, at: now, transaction)
            if version.state == .published {
                let event = Announcement(of: version).event(
                    decision == .release ? .versionReleased : .versionRejected, id: UniqueID(at: now),
                    [.init("reason", .string(item.reason))], at: now)
                try transaction.execute(each: event) { $0 }
                transaction.notify(EventLog.channel)
            }
            return item
        }
    }
}
