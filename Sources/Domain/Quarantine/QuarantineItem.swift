// What withholds a version from readers. Rules: HTTP contract, 3.6 and 6.3.

package typealias QuarantineID = Identifier<QuarantineItem>

package struct QuarantineItem: Hashable, Sendable {
    package let id: QuarantineID
    package let version: VersionID
    package let status: QuarantineStatus
    package let reason: String
    package let createdAt: Timestamp
    /// Nil before the decision.
    package let resolvedAt: Timestamp?
    package let resolvedBy: String?

    package init(
        id: QuarantineID, version: VersionID, status: QuarantineStatus, reason: String, createdAt: Timestamp,
        resolvedAt: Timestamp?, resolvedBy: String?
    ) {
        self.id = id
        self.version = version
        self.status = status
        self.reason = reason
        self.createdAt = createdAt
        self.resolvedAt = resolvedAt
        self.resolvedBy = resolvedBy
    }

    /// The item after the decision.
    ///
    /// - Throws: `conflict` where that was done before.
    package func resolved(
        as decision: QuarantineDecision, by subject: Subject, at now: Timestamp
    ) throws(Refusal) -> QuarantineItem {
        QuarantineItem(
            id: self.id, version: self.version, status: try self.status.after(decision), reason: self.reason,
            createdAt: self.createdAt, resolvedAt: now, resolvedBy: subject.text)
    }
}

/// The decision about a version in quarantine.
package enum QuarantineDecision: String, CaseIterable, Sendable { case release, reject }

extension QuarantineStatus {
    /// The status after a decision. (A policy puts any item back into quarantine.)
    ///
    /// - Throws: `conflict` where it was decided before.
    package func after(_ decision: QuarantineDecision) throws(Refusal) -> QuarantineStatus {
        switch (self, decision) {  // no `default`: a new status must be decided here
        case (.quarantined, .release): .released
        case (.quarantined, .reject): .rejected
        case (.released, _), (.rejected, _):
            throw .conflict("The quarantine item is \(self.rawValue): only one that is quarantined can be decided.")
        }
    }
}
