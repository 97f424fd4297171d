// Who may stop a publish: the policy's place. Rules: HTTP contract, section 9, row 5; architecture, section 6
// (Publish).

package import Domain
package import Persistence
package import Threads

/// What is about to be published.
package struct PublishCandidate: Sendable {
    package enum Content: Sendable {
        /// A stored draft: entries and manifest are in the database.
        case draft(VersionID)
        /// A version that is made and published in one step. Its text is empty where it is not known before.
        case whole(Coordinate, entries: [ArtifactEntry], manifest: JSON)
        /// A published version that is copied from another repository.
        case copy(VersionID, from: RepoKey)
    }

    /// Who wants it, and in which repository.
    package let grant: Grant
    package let content: Content

    package init(_ content: Content, under grant: Grant) {
        self.grant = grant
        self.content = content
    }
}

package struct PublishVerdict: Hashable, Sendable {
    package enum Decision: Hashable, Sendable {
        case allow
        case deny(reason: String)
        /// Published, and hidden until it is released.
        case quarantine(reason: String)
    }

    /// What a verdict was made of, to be compared again in the transaction that acts on it.
    package struct Basis: Hashable, Sendable {
        package let action: PolicyAction
        /// Of the policy of the repository that publishes.
        package let generation: Int
        /// The strictest evaluation that waited.
        package let pending: Int64?
        /// Where a copy comes from: the version, and the generation of its repository's policy.
        package let source: Source?

        package struct Source: Hashable, Sendable {
            package let version: VersionID
            package let generation: Int
        }
    }

    package let decision: Decision
    /// The content that was judged; nil where the verdict is the same whatever the content.
    package let contentRevision: Int?
    /// Nil where nothing of it can change.
    package let basis: Basis?
    /// What is to be kept of the judgment; nil where there was nothing to judge by.
    package let evaluation: PolicyEvaluation?

    package init(
        _ decision: Decision, contentRevision: Int?, basis: Basis? = nil, evaluation: PolicyEvaluation? = nil
    ) {
        self.decision = decision
        self.contentRevision = contentRevision
        self.basis = basis
        self.evaluation = evaluation
    }

    package static let allowed = PublishVerdict(.allow, contentRevision: nil)
}

package protocol PublishGate: Sendable {
    /// Judges what is about to be published. Called before the publishing transaction, and again where the content has
    /// changed in between.
    ///
    /// - Throws: `policy_timeout` where there is no verdict in time; nothing is published then.
    func verdict(on candidate: PublishCandidate) async throws -> PublishVerdict

    /// Verifies that a verdict still holds, and records the result of its use; in the publishing transaction.
    ///
    /// - Returns: an item of before that hides the version, whatever the verdict is.
    /// - Throws: what ends the attempt, to be evaluated again, if something has changed in between.
    func settle(
        _ verdict: PublishVerdict, on version: PackageVersion, at now: Timestamp, by caller: Caller,
        _ transaction: borrowing Transaction
    ) throws -> QuarantineID?

    /// Keeps the judgment of what was refused, in the transaction that records the refusal.
    ///
    /// - Parameter isStored: whether the version is there; one that was to be made in one step is not.
    func record(
        _ verdict: PublishVerdict, denying version: PackageVersion, isStored: Bool, at now: Timestamp,
        by caller: Caller,
        _ transaction: borrowing Transaction
    ) throws
}

/// Asks a gate, publishes under its verdict, and asks again if the content has changed in between.
package struct GuardedPublish: Sendable {
    /// How often the content may change between verdict and publish.
    private static let tries = 3
    /// How many candidates are judged at a time.
    private static let window = 8

    private let gate: any PublishGate
    private let database: any Database
    private let clock: WallClock

    package init(gate: any PublishGate, database: any Database, clock: WallClock) {
        self.gate = gate
        self.database = database
        self.clock = clock
    }

    /// - Parameter publish: one transaction, with a verdict for each candidate.
    /// - Throws: `policy_denied`, `policy_timeout`; `conflict` where the content keeps changing; what `publish` throws.
    package func run<Value: Sendable>(
        _ candidates: [PublishCandidate], by caller: Caller,
        _ publish: ([PublishVerdict]) async throws -> Value
    ) async throws -> Value {
        for _ in 0..<Self.tries {
            let verdicts = try await self.verdicts(on: candidates)
            do {
                return try await publish(verdicts)
            } catch is ContentChanged {
                continue
            } catch let denial as PublishDenial {
                try await self.record(denial, by: caller)
                throw denial.refusal
            }
        }
        throw Refusal.conflict("The version's content was changed while it was being published. Try again.")
    }

    /// In the order of the candidates.
    private func verdicts(on candidates: [PublishCandidate]) async throws -> [PublishVerdict] {
        if candidates.count == 1 { return [try await self.gate.verdict(on: candidates[0])] }
        return try await withThrowingTaskGroup(of: (Int, PublishVerdict).self) { [gate] group in
            var waiting = candidates.enumerated().makeIterator()
            var verdicts: [Int: PublishVerdict] = [:]
            func judgeNext() {
                guard let (index, candidate) = waiting.next() else { return }
                group.addTask { (index, try await gate.verdict(on: candidate)) }
            }
            for _ in 0..<Self.window { judgeNext() }
            while let (index, verdict) = try await group.next() {
                verdicts[index] = verdict
                judgeNext()
            }
            return candidates.indices.compactMap { verdicts[$0] }
        }
    }

    /// A denial is recorded in a transaction of its own (HTTP contract, section 9, row 21).
    private func record(_ denial: PublishDenial, by caller: Caller) async throws {
        try await self.database.transaction { [gate, now = self.clock.now()] transaction in
            for (version, verdict, reason) in denial.denied {
                let isStored = try VersionStore.find(version.id, of: caller.tenant, transaction) != nil
                try gate.record(verdict, denying: version, isStored: isStored, at: now, by: caller, transaction)
                let announcement = Announcement(of: version, isStored: isStored)
                let statements =
                    [announcement.audit("policy.denied", ["reason": reason], by: caller, at: now)]
                    + announcement.event(
                        .policyDenied, id: UniqueID(at: now), [.init("reason", .string(reason))], at: now)
                try transaction.execute(each: statements) { $0 }
            }
            transaction.notify(EventLog.channel)
        }
    }
}

/// Thrown in a publishing transaction: the verdict was on another content, or by other rules.
struct ContentChanged: Fault {
    let description = "the content or the rules changed while the policy was asked"
}

/// Thrown in a publishing transaction: the policy says no.
struct PublishDenial: Fault {
    /// In the order of their repositories.
    let denied: [(version: PackageVersion, verdict: PublishVerdict, reason: String)]
    let refusal: Refusal

    var description: String { self.refusal.description }
}
