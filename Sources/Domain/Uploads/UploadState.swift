// The life of an upload session. Rules: HTTP contract, 6.2, and section 9, row 11.

/// Where an upload session stands. `committed` and `aborted` are terminal.
package enum UploadState: String, CaseIterable, Sendable {
    case initiated
    case partsUploading = "parts_uploading"
    case pendingCommit = "pending_commit"
    case committed, aborted

    package enum Event: String, CaseIterable, Sendable { case issuePart, complete, match, mismatch, abort, expire }

    /// The state after `event`.
    ///
    /// - Throws: `conflict`, with the state and the event, where there is none.
    package func after(_ event: Event) throws(Refusal) -> UploadState {
        switch (self, event) {  // no `default`: a new state must be decided here
        case (.initiated, .issuePart), (.partsUploading, .issuePart): .partsUploading
        case (.partsUploading, .complete): .pendingCommit
        case (.pendingCommit, .match): .committed
        case (.pendingCommit, .mismatch), (.initiated, .abort), (.partsUploading, .abort), (.pendingCommit, .abort),
            (.initiated, .expire), (.partsUploading, .expire), (.pendingCommit, .expire):
            .aborted
        case (.initiated, _), (.partsUploading, _), (.pendingCommit, _), (.committed, _), (.aborted, _):
            throw .illegal(event, in: self)
        }
    }

    package var isTerminal: Bool { self == .committed || self == .aborted }
}

extension Refusal {
    package static func illegal(_ event: UploadState.Event, in state: UploadState) -> Refusal {
        Refusal(
            .conflict, "The upload session is \(state.rawValue): \(event.rawValue) is not possible.",
            ["state": .string(state.rawValue)])
    }
}
