// Quarantine items. Rules: HTTP contract, 3.6, 6.3 and section 9, row 5.

package import Domain

package enum QuarantineStore {
    /// Puts a version in quarantine, or back into it.
    ///
    /// - Returns: the item's id, which it keeps for good.
    package static func quarantine(
        _ version: PackageVersion, reason: String, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> QuarantineID {
        let id = try transaction.first(
            """
            INSERT INTO quarantine_items (quarantine_id, tenant_id, repo_id, version_id, status, reason, created_at)
            VALUES (\(QuarantineID(at: now)), \(version.repository.tenant), \(version.repository.id), \(version.id),
                'quarantined', \(reason), \(now))
            ON CONFLICT (version_id) DO UPDATE SET status = 'quarantined', reason = excluded.reason,
                resolved_at = NULL, resolved_by_subject = NULL
            RETURNING quarantine_id
            """, as: { try $0[0] as QuarantineID })
        guard let id else { throw DatabaseFault.unreadable("no quarantine item") }
        return id
    }

    package static func status(
        of version: VersionID, _ transaction: borrowing Transaction
    ) throws -> QuarantineStatus? {
        try transaction.first(
            "SELECT status FROM quarantine_items WHERE version_id = \(version)", as: { try $0[0] as QuarantineStatus })
    }
}
