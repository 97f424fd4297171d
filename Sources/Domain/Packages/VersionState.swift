// The life of a package version. Rules: HTTP contract, 6.1; architecture, I2 and section 5.

/// Where a package version stands.
package enum VersionState: String, CaseIterable, Sendable {
    case draft, published, tombstoned

    package enum Event: String, CaseIterable, Sendable { case edit, publish, tombstone }

    /// The state after `event`.
    ///
    /// - Throws: `conflict` where there is none.
    package func after(_ event: Event) throws(Refusal) -> VersionState {
        switch (self, event) {  // no `default`: a new state must be decided here
        case (.draft, .edit): .draft
        case (.draft, .publish): .published
        case (.draft, .tombstone), (.published, .tombstone): .tombstoned
        case (.published, .edit), (.tombstoned, .edit):
            throw .conflict("The version is \(self.rawValue): it cannot be modified.")
        case (.published, .publish), (.tombstoned, .publish), (.tombstoned, .tombstone):
            throw .conflict(
                "The version is \(self.rawValue): it cannot be \(event == .publish ? "published" : "tombstoned").")
        }
    }
}

/// What publishing means for a version's set of files.
package enum Sealing: String, CaseIterable, Sendable {
    /// Nothing may be added.
    case sealed
    /// Files may be added; none may be replaced or removed.
    case additive
}
