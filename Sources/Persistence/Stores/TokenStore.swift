// Personal access tokens. Rules: HTTP contract, 2.3, 2.4, 3.2 and 7.2.

package import Domain

/// A token as it is listed: never the token itself, which is not stored.
package struct StoredToken: Hashable, Sendable {
    package let id: TokenID
    package let subject: Subject
    package let scopes: [String]
    package let expiresAt: Timestamp
    package let revokedAt: Timestamp?
    package let createdBy: String
    package let createdAt: Timestamp
    package let lastUsedAt: Timestamp?
    package let lastUsedSource: String?

    init(row: borrowing Row) throws {
        self.id = try row[0]
        self.subject = try row[1]
        self.scopes = (try row[2] as TextList).texts
        self.expiresAt = try row[3]
        self.revokedAt = try row[4]
        self.createdBy = try row[5] ?? ""
        self.createdAt = try row[6]
        self.lastUsedAt = try row[7]
        self.lastUsedSource = try row[8]
    }
}

package enum TokenStore {
    package static func insert(
        _ id: TokenID, tenant: TenantID, subject: Subject, hash: String, scopes: [Scope], expiresAt: Timestamp,
        createdBy: Subject, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO personal_access_tokens
                (token_id, tenant_id, subject, token_hash, scopes, expires_at, created_by_subject, created_at)
            VALUES (\(id), \(tenant), \(subject), \(hash), \(TextList(scopes.map(\.description))), \(expiresAt),
                \(createdBy), \(now))
            """)
    }

    /// A stored scope that no longer reads as one gives nothing.
    package static func scopes(_ list: TextList) -> [Scope] { list.texts.compactMap { try? Scope(parsing: $0) } }

    /// Whether an unrevoked, unexpired token with administration over everything exists.
    package static func hasAdministrator(
        _ tenant: TenantID, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> Bool {
        try transaction.first(
            """
            SELECT 1 FROM personal_access_tokens
            WHERE tenant_id = \(tenant) AND revoked_at IS NULL AND expires_at > \(now)
                AND \(.holds("repo:*:admin", in: "scopes"))
            LIMIT 1
            """, as: { _ in true }) ?? false
    }

    /// - Returns: whether an unrevoked token of the tenant was revoked.
    package static func revoke(
        _ id: TokenID, of tenant: TenantID, reason: String, by subject: Subject, at now: Timestamp,
        _ transaction: borrowing Transaction
    ) throws -> Bool {
        let changed = try transaction.execute(
            """
            UPDATE personal_access_tokens SET revoked_at = \(now)
            WHERE token_id = \(id) AND tenant_id = \(tenant) AND revoked_at IS NULL
            """)
        guard changed > 0 else { return false }
        try transaction.execute(
            """
            INSERT INTO token_revocations (token_id, tenant_id, reason, revoked_by_subject, revoked_at)
            VALUES (\(id), \(tenant), \(reason), \(subject), \(now))
            """)
        return true
    }

    /// Revokes every unrevoked token of the tenant, or of one subject.
    ///
    /// - Returns: their ids, in ascending order.
    package static func revokeAll(
        of tenant: TenantID, subject: Subject? = nil, reason: String, by actor: Subject, at now: Timestamp,
        _ transaction: borrowing Transaction
    ) throws -> [TokenID] {
        let condition: SQL = subject.map { "AND subject = \($0)" } ?? ""
        let ids = try transaction.all(
            """
            UPDATE personal_access_tokens SET revoked_at = \(now)
            WHERE tenant_id = \(tenant) AND revoked_at IS NULL \(condition) RETURNING token_id
            """, as: { try $0[0] as TokenID })
        try transaction.execute(each: ids) { id in
            """
            INSERT INTO token_revocations (token_id, tenant_id, reason, revoked_by_subject, revoked_at)
            VALUES (\(id), \(tenant), \(reason), \(actor), \(now))
            """
        }
        return ids.sorted()
    }

    /// Notes when a token was last used, unless a use since `recently` is noted.
    package static func noteUse(
        of id: TokenID, at time: Timestamp, unlessSince recently: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            UPDATE personal_access_tokens SET last_used_at = \(time), last_used_auth_source = 'pat'
            WHERE token_id = \(id) AND (last_used_at IS NULL OR last_used_at <= \(recently))
            """)
    }

    /// All of the tenant: unrevoked ones first, then the revoked by revocation; within that the latest expiry first.
    package static func list(_ tenant: TenantID, _ transaction: borrowing Transaction) throws -> [StoredToken] {
        try transaction.all(
            """
            SELECT token_id, subject, scopes, expires_at, revoked_at, created_by_subject, created_at, last_used_at,
                last_used_auth_source
            FROM personal_access_tokens WHERE tenant_id = \(tenant)
            ORDER BY CASE WHEN revoked_at IS NULL THEN 0 ELSE 1 END, revoked_at, expires_at DESC, created_at DESC
            """, as: StoredToken.init(row:))
    }
}
