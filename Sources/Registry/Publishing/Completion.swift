// The last steps of every publish, by whichever way it comes (`/v1`, files by path, a format's own client, a release
// set): state, quarantine, audit, outbox, event log. Rules: HTTP contract, 3.5, 4.1 and section 9, rows 5 and 37;
// architecture, I3.

package import Domain
package import Persistence

/// A version that was just published.
package struct CompletedPublish: Hashable, Sendable {
    package let version: PackageVersion
    package let event: UniqueID
    /// Where the policy has put it in quarantine, now or before.
    package let quarantine: QuarantineID?
}

package enum Completion {
    /// Publishes drafts under their verdicts. To be called last in the transaction: events take their numbers here.
    ///
    /// - Throws: `coordinate_retired`; what ends the attempt where a verdict denies or is on another content.
    package static func publish(
        _ drafts: [(draft: Draft, verdict: PublishVerdict)], through gate: any PublishGate, by caller: Caller,
        at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> [CompletedPublish] {
        try self.publish(drafts, through: gate, by: caller, at: now, as: nil, copiedFrom: nil, transaction)
    }

    /// - Parameters:
    ///   - release: nil where they do not make up a release.
    ///   - source: for a copy, what it is one of.
    static func publish(
        _ drafts: [(draft: Draft, verdict: PublishVerdict)], through gate: any PublishGate, by caller: Caller,
        at now: Timestamp, as release: ReleaseAnnouncement? = nil, copiedFrom source: PackageVersion? = nil,
        _ transaction: borrowing Transaction
    ) throws -> [CompletedPublish] {
        for (draft, verdict) in drafts where !verdict.fits(draft) { throw ContentChanged() }
        try self.refuseDenied(drafts)
        var (completed, statements, events): ([CompletedPublish], [SQL], [(RepoID, [SQL])]) = ([], [], [])
        let state = JSON.Member("state", .string(VersionState.published.rawValue))
        let origin: [JSON.Member] =
            source.map {
                [
                    .init("sourceRepoKey", .string($0.repository.key.text)),
                    .init("sourceVersionId", .string($0.id.description)),
                ]
            } ?? []
        let details = [state] + (release.map { [.init("releaseId", JSON($0.id))] } ?? []) + origin
        for (draft, verdict) in drafts {
            let version = try draft.published(at: now)
            try RetiredCoordinateStore.refuse(version.coordinate, in: version.repository.id, transaction)
            // What hid the version before still hides it: a publish does not undo an earlier decision.
            var quarantine = try gate.settle(verdict, on: version, at: now, by: caller, transaction)
            var reason = quarantine == nil ? nil : "in quarantine since before its publish"
            let event = UniqueID(at: now)
            let announcement = Announcement(of: version)
            let time = JSON.Member("publishedAtUtc", JSON(now))
            statements += [
                VersionStore.publication(of: draft, event: event, by: caller.subject, at: now),
                announcement.audit("package.version.published", details, by: caller, at: now),
                announcement.outbox(.versionPublished, id: event, [time], at: now),
            ]
            events.append((version.repository.id, announcement.event(.versionPublished, id: event, [time], at: now)))
            if case .quarantine(let verdictReason) = verdict.decision {
                reason = verdictReason
                if quarantine == nil {
                    quarantine = try QuarantineStore.quarantine(version, reason: verdictReason, at: now, transaction)
                }
            }
            if let reason {
                events.append(
                    (
                        version.repository.id,
                        announcement.event(
                            .versionQuarantined, id: UniqueID(at: now), [.init("reason", .string(reason))], at: now)
                    ))
            }
            completed.append(CompletedPublish(version: version, event: event, quarantine: quarantine))
        }
        if let release { events += release.events(at: now) }
        if let source, let copy = completed.first?.version {
            let promotion = PromotionAnnouncement(of: source, to: copy)
            statements.append(promotion.record(by: caller, at: now))
            events += promotion.events(at: now)
        }
        // Counters of several repositories in one order, so that concurrent transactions cannot deadlock.
        statements += events.enumerated().sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }
            .flatMap(\.element.1)
        try transaction.execute(each: statements) { $0 }
        transaction.notify(EventLog.channel)
        return completed
    }

    private static func refuseDenied(_ drafts: [(draft: Draft, verdict: PublishVerdict)]) throws {
        let denied = drafts.compactMap { draft, verdict in
            if case .deny(let reason) = verdict.decision { (draft.version, verdict, reason) } else { nil }
        }
        .sorted { ($0.0.repository.id, $0.0.id) < ($1.0.repository.id, $1.0.id) }
        guard let first = denied.first else { return }
        throw PublishDenial(denied: denied, refusal: .denied(first.2))
    }
}

extension PublishVerdict {
    /// Whether it is on the draft's present content.
    func fits(_ draft: Draft) -> Bool { self.contentRevision.map { $0 == draft.version.contentRevision } ?? true }
}

extension Refusal {
    static func denied(_ reason: String) -> Refusal {
        Refusal(.policyDenied, "The policy denies the publish: \(reason)", ["reason": .string(reason)])
    }
}
