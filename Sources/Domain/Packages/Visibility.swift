// Who sees what: one table for every read path. Source: architecture, section 5.

/// The status of a version's quarantine item.
package enum QuarantineStatus: String, CaseIterable, Sendable {
    case quarantined, released, rejected

    /// Whether the version is kept from readers.
    package var hides: Bool { self != .released }
}

/// What a reader meets instead of a version, or the version.
package enum Visibility: Hashable, Sendable {
    case visible
    /// As if it did not exist.
    case absent
    /// It is there, but withheld: `/v1` answers 423, a format 403 or 404 with the reason in its own words.
    case withheld

    /// A published version's face, by coordinate and in lists, indexes and searches.
    package static func byCoordinate(_ state: VersionState, _ quarantine: QuarantineStatus?) -> Visibility {
        switch state {
        case .draft, .tombstoned: .absent
        case .published: quarantine?.hides == true ? .withheld : .visible
        }
    }
}
