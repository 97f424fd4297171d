// The part of a reading statement that says who asks, and for which repository: token, tenant and repository in one
// join, so that a download needs one database round trip.

package import Domain
import Persistence

/// A repository, with leave to read it.
package struct ReadableRepository: Hashable, Sendable {
    package let id: RepoID
    package let settings: RepositorySettings
    package let format: String?
    package let kind: RepositoryKind
    package let grant: Grant
}

struct AccessRow {
    static let columns: SQL = """
        t.token_id, t.tenant_id, t.subject, t.scopes, t.expires_at, r.repo_id, r.repo_type, r.config, r.settings, r.format
        """
    static let count = 10

    /// One row, whatever exists: who presents the credential (`t`), and the repository (`r`) of his tenant, or of the
    /// default one where he presents none.
    static func source(_ credential: Credential, _ key: RepoKey, _ tenant: TenantID, at now: Timestamp) -> SQL {
        """
        (SELECT \(tenant) AS tenant_id) d
        LEFT JOIN (
            SELECT a.token_id, a.tenant_id, a.subject, a.scopes, a.expires_at FROM personal_access_tokens a
            JOIN tenants n ON n.tenant_id = a.tenant_id AND n.disabled_at IS NULL
            WHERE a.token_hash = \(credential.hash ?? "") AND a.revoked_at IS NULL AND a.expires_at > \(now)
        ) t ON true
        LEFT JOIN repos r ON r.tenant_id = COALESCE(t.tenant_id, d.tenant_id) AND r.repo_key = \(key)
        """
    }

    /// Nil where nobody is known by what was presented.
    let token: TokenID?
    private let tenant: TenantID?
    private let subject: Subject?
    private let scopes: [Scope]
    /// Of the token: nothing that was read by it holds longer.
    let expiresAt: Timestamp?
    private let repository: RepoID?
    private let kind: RepositoryKind
    private let settings: RepositorySettings
    private let format: String?

    init(_ row: borrowing Row) throws {
        (self.token, self.tenant, self.subject) = (try row[0], try row[1], try row[2])
        self.scopes = (try row[3] as TextList?).map(TokenStore.scopes) ?? []
        (self.expiresAt, self.repository) = (try row[4], try row[5])
        if let type = try row[6] as String? {
            self.kind = try RepositoryStore.kind(type: type, config: try row[7] as JSON)
            self.settings = RepositoryStore.settings(try row[8] as JSON)
        } else {
            (self.kind, self.settings) = (.local, RepositorySettings())
        }
        self.format = try row[9]
    }

    /// - Throws: `unauthorized` for a credential that is no good, or none where one is needed; `forbidden`;
    ///   `not_found` for the repository.
    func readable(
        _ key: RepoKey, _ credential: Credential, _ defaultTenant: TenantID, correlation: UniqueID
    ) throws -> ReadableRepository {
        let caller: Caller
        if let token = self.token, let tenant = self.tenant, let subject = self.subject {
            caller = Caller(
                tenant: tenant, subject: subject, scopes: self.scopes, source: .pat, token: token,
                correlation: correlation)
        } else {
            guard credential == .none, self.settings.anonymousRead else { throw Refusal.unauthenticated }
            caller = .anonymous(in: defaultTenant, correlation: correlation)
        }
        let grant = try caller.readGrant(on: key, anonymousRead: self.settings.anonymousRead)
        guard let repository = self.repository else { throw Refusal.notFound("Repository '\(key)'") }
        return ReadableRepository(
            id: repository, settings: self.settings, format: self.format, kind: self.kind, grant: grant)
    }
}
