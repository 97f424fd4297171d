// Protections and legal holds on versions. Rules: HTTP contract, 7.8.

package import Domain

package struct ActiveProtection: Hashable, Sendable {
    package let id: UniqueID
    package let mode: String
}

package enum ProtectionStore {
    /// The protection that is in force on a version.
    package static func active(
        on version: VersionID, _ transaction: borrowing Transaction
    ) throws -> ActiveProtection? {
        try transaction.first(
            """
            SELECT protection_id, mode FROM artifact_protections
            WHERE version_id = \(version) AND released_at IS NULL
            """, as: { ActiveProtection(id: try $0[0], mode: try $0[1]) })
    }
}
