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

    /// The item that hides a version; nil where none does.
    package static func hiding(
        _ version: VersionID, _ transaction: borrowing Transaction
    ) throws -> QuarantineID? {
        try transaction.first(
            "SELECT quarantine_id FROM quarantine_items WHERE version_id = \(version) AND status <> 'released'",
            as: { try $0[0] as QuarantineID })
    }

    /// Where a page of items ended.
    package typealias Position = (createdAt: Timestamp, id: QuarantineID)

    /// The newest first.
    ///
    /// - Parameter status: nil for every one.
    package static func page(
        _ status: QuarantineStatus?, of repository: RepoID, after position: Position?, limit: Int,
        _ transaction: borrowing Transaction
    ) throws -> [QuarantineItem] {
        let wanted: SQL = status.map { "AND status = \($0)" } ?? ""
        let start: SQL = position.map { "AND (created_at, quarantine_id) < (\($0.createdAt), \($0.id))" } ?? ""
        return try transaction.all(
            """
            SELECT \(self.columns) FROM quarantine_items WHERE repo_id = \(repository) \(wanted) \(start)
            ORDER BY created_at DESC, quarantine_id DESC LIMIT \(limit)
            """, as: { try self.item(row: $0) })
    }

    /// - Parameter isLocked: whether its row is locked until the transaction ends.
    /// - Throws: `not_found`.
    package static func require(
        _ id: QuarantineID, in repository: RepoID, isLocked: Bool = false, _ transaction: borrowing Transaction
    ) throws -> QuarantineItem {
        let item = try transaction.first(
            """
            SELECT \(self.columns) FROM quarantine_items WHERE quarantine_id = \(id) AND repo_id = \(repository)
            \(isLocked ? .forUpdate : .noLock)
            """, as: { try self.item(row: $0) })
        guard let item else { throw Refusal.notFound("The quarantine item") }
        return item
    }

    package static func resolve(_ item: QuarantineItem, _ transaction: borrowing Transaction) throws {
        try transaction.execute(
            """
            UPDATE quarantine_items SET status = \(item.status), resolved_at = \(item.resolvedAt),
                resolved_by_subject = \(item.resolvedBy)
            WHERE quarantine_id = \(item.id)
            """)
    }

    private static let columns: SQL =
        "quarantine_id, version_id, status, reason, created_at, resolved_at, resolved_by_subject"

    private static func item(row: borrowing Row) throws -> QuarantineItem {
        QuarantineItem(
            id: try row[0], version: try row[1], status: try row[2], reason: try row[3], createdAt: try row[4],
            resolvedAt: try row[5], resolvedBy: try row[6])
    }
}
