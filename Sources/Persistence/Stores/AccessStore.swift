// From a credential to what it reaches: token → caller with scopes and tenant roles → repository → its members. The one
// definition of it, as the beginning of every statement that reads for a caller, so that a download needs one round trip.

package import Domain

/// The caller that a valid token stands for.
package struct PresentedToken: Hashable, Sendable {
    package let id: TokenID
    package let tenant: TenantID
    package let subject: Subject
    package let scopes: [Scope]
    package let tenantRoles: [TenantRole]
    /// Nothing that was read by the token holds longer.
    package let expiresAt: Timestamp

    package func caller(correlation: UniqueID) -> Caller {
        Caller(
            tenant: self.tenant, subject: self.subject, scopes: self.scopes, tenantRoles: self.tenantRoles,
            source: .pat,
            token: self.id, correlation: correlation)
    }
}

/// A repository that was asked for.
package struct AccessedRepository: Hashable, Sendable {
    package let id: RepoID
    package let key: RepoKey
    package let kind: RepositoryKind
    package let settings: RepositorySettings
    package let format: String?
}

/// A local repository that a virtual one reads.
package struct RepositoryMember: Hashable, Sendable {
    package let id: RepoID
    package let key: RepoKey
    package let settings: RepositorySettings

    package init(id: RepoID, key: RepoKey, settings: RepositorySettings) {
        self.id = id
        self.key = key
        self.settings = settings
    }
}

/// What a statement found for a credential and a repository.
package struct Access: Hashable, Sendable {
    /// Nil if the credential is not a valid token.
    package let token: PresentedToken?
    /// Nil if the tenant has none of that key.
    package let repository: AccessedRepository?
}

package enum AccessStore {
    private static let tokenColumns: SQL = "t.token_id, t.tenant_id, t.subject, t.scopes, t.roles, t.expires_at"

    /// Of a row of ``source(_:_:_:at:)``: the token, the repository, and one member.
    package static let columns: SQL = """
        \(Self.tokenColumns), r.repo_id, r.repo_key, r.repo_type, r.config, r.settings, r.format, m.ordinal, x.repo_id,
        x.repo_key, x.settings
        """
    /// How many they are.
    package static let count = 16

    /// The repository whose packages a row is about: the member, or the repository itself if it has none.
    package static let member: SQL = "COALESCE(m.member_id, r.repo_id)"

    /// The valid token with this hash, if its tenant is not disabled.
    private static func token(_ hash: String, at now: Timestamp) -> SQL {
        """
        SELECT a.token_id, a.tenant_id, a.subject, a.scopes, b.roles, a.expires_at FROM personal_access_tokens a
        JOIN tenants n ON n.tenant_id = a.tenant_id AND n.disabled_at IS NULL
        LEFT JOIN tenant_role_bindings b ON b.tenant_id = a.tenant_id AND b.subject = a.subject
        WHERE a.token_hash = \(hash) AND a.revoked_at IS NULL AND a.expires_at > \(now)
        """
    }

    /// At least one row, whatever exists: the token (`t`), the repository (`r`) of its tenant, or of `tenant` without a
    /// valid token, and a row for each member (`m`, `x`) of a virtual repository, in no order.
    ///
    /// - Parameter hash: of the token; nil for none.
    package static func source(_ hash: String?, _ key: RepoKey, _ tenant: TenantID, at now: Timestamp) -> SQL {
        """
        (SELECT \(tenant) AS tenant_id) d
        LEFT JOIN (\(self.token(hash ?? "", at: now))) t ON true
        LEFT JOIN repos r ON r.tenant_id = COALESCE(t.tenant_id, d.tenant_id) AND r.repo_key = \(key)
        LEFT JOIN repository_members m ON m.repo_id = r.repo_id
        LEFT JOIN repos x ON x.repo_id = m.member_id
        """
    }

    // MARK: - Reading

    /// The caller that presents a token: one indexed read.
    ///
    /// - Returns: nil for a token that is unknown, revoked or expired, or whose tenant is disabled.
    package static func token(
        hash: String, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> PresentedToken? {
        try transaction.first(
            "SELECT \(self.tokenColumns) FROM (\(self.token(hash, at: now))) t", as: { try self.token(row: $0) })
            ?? nil
    }

    /// The credential, the repository, and its members in order; none if it is not virtual.
    package static func find(
        _ hash: String?, _ key: RepoKey, _ tenant: TenantID, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> (access: Access, members: [RepositoryMember]) {
        let (access, rows) = try self.rows(
            "SELECT \(self.columns) FROM \(self.source(hash, key, tenant, at: now))", transaction, as: { _ in true })
        return (access, rows.compactMap(\.member))
    }

    /// Runs a statement that selects ``columns`` and then others, from ``source(_:_:_:at:)``.
    ///
    /// - Parameter read: reads the other columns; the first is at ``count``.
    /// - Returns: what was found for each member, in the order of members. Of a repository without members there is one
    ///   row, whose member is nil.
    package static func rows<Value>(
        _ statement: SQL, _ transaction: borrowing Transaction, as read: (borrowing Row) throws -> Value
    ) throws -> (access: Access, rows: [(member: RepositoryMember?, value: Value)]) {
        var access: Access?
        var rows: [(ordinal: Int, member: RepositoryMember?, value: Value)] = []
        _ = try transaction.all(statement) { row in
            if access == nil {
                access = Access(token: try self.token(row: row), repository: try self.repository(row: row))
            }
            rows.append((try row[12] ?? 0, try self.member(row: row), try read(row)))
        }
        guard let access else { throw DatabaseFault.unreadable("a resolve gave no row") }
        if rows.count > 1 { rows.sort { $0.ordinal < $1.ordinal } }
        return (access, rows.map { ($0.member, $0.value) })
    }

    private static func token(row: borrowing Row) throws -> PresentedToken? {
        guard let id = try row[0] as TokenID? else { return nil }
        return PresentedToken(
            id: id, tenant: try row[1], subject: try row[2], scopes: TokenStore.scopes(try row[3] as TextList),
            tenantRoles: (try row[4] as TextList?)?.texts.compactMap(TenantRole.init(rawValue:)) ?? [],
            expiresAt: try row[5])
    }

    private static func repository(row: borrowing Row) throws -> AccessedRepository? {
        guard let id = try row[6] as RepoID? else { return nil }
        return AccessedRepository(
            id: id, key: try row[7], kind: try RepositoryStore.kind(type: try row[8], config: try row[9]),
            settings: RepositoryStore.settings(try row[10]), format: try row[11])
    }

    private static func member(row: borrowing Row) throws -> RepositoryMember? {
        guard let id = try row[13] as RepoID? else { return nil }
        return RepositoryMember(id: id, key: try row[14], settings: RepositoryStore.settings(try row[15]))
    }
}
