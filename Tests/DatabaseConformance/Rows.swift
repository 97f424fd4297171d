// Rows of the core schema, for tests of its constraints and guards.

import Domain
import Persistence

/// A tenant with a repository, a package, a blob and a draft of version 1.0.
struct Rows: Sendable {
    let tenant = UniqueID.random(), repo = UniqueID.random(), package = UniqueID.random()
    let version = UniqueID.random()
    let digest = String(repeating: "a", count: 64)
    static let noon = Timestamp(microseconds: 1_770_000_000_000_000)
    static let later = Timestamp(microseconds: 1_770_000_000_000_001)

    init(_ transaction: borrowing Transaction) throws {
        try transaction.execute("INSERT INTO tenants (tenant_id, slug, name) VALUES (\(self.tenant), 't', 'T')")
        try transaction.execute(
            "INSERT INTO repos (repo_id, tenant_id, repo_key) VALUES (\(self.repo), \(self.tenant), 'r')")
        try transaction.execute(
            "INSERT INTO blobs (digest, length_bytes, storage_key) VALUES (\(self.digest), 1, 'k')")
        try transaction.execute(
            """
            INSERT INTO packages (package_id, tenant_id, repo_id, package_type, name)
            VALUES (\(self.package), \(self.tenant), \(self.repo), 'npm', 'p')
            """)
        try self.insertVersion(self.version, "1.0", transaction)
    }

    func insertVersion(_ id: UniqueID, _ version: String, _ transaction: borrowing Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO package_versions
                (version_id, tenant_id, repo_id, package_id, version, state, created_by_subject)
            VALUES (\(id), \(self.tenant), \(self.repo), \(self.package), \(version), 'draft', 'alice')
            """)
    }

    func insertEntry(
        _ path: String, of version: UniqueID? = nil, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO artifact_entries (version_id, relative_path, blob_digest, checksum_sha256, size_bytes)
            VALUES (\(version ?? self.version), \(path), \(self.digest), \(self.digest), 1)
            """)
    }

    func publish(sealing: Sealing?, _ transaction: borrowing Transaction) throws {
        try transaction.execute(
            """
            UPDATE package_versions SET state = 'published', published_at = \(Self.noon), sealing = \(sealing)
            WHERE version_id = \(self.version)
            """)
    }

    func tombstone(_ transaction: borrowing Transaction) throws {
        try transaction.execute(
            """
            UPDATE package_versions SET state = 'tombstoned', tombstoned_at = \(Self.later), tombstone_reason = 'x'
            WHERE version_id = \(self.version)
            """)
    }

    /// One row a table, of exactly the columns that contract 8.2 lists and that an insert gives.
    static func listed(_ transaction: borrowing Transaction) throws {
        let (repo, version) = (UniqueID.random(), UniqueID.random())
        let (upload, token) = (UniqueID.random(), UniqueID.random())
        let digest = String(repeating: "b", count: 64)
        let (now, none): (Timestamp, Timestamp?) = (Self.noon, nil)
        try transaction.execute("INSERT INTO tenants (slug, name) VALUES ('default', 'Default Tenant')")
        let tenant = try transaction.first("SELECT tenant_id FROM tenants", as: { try $0[0] as UniqueID })
        try transaction.execute("INSERT INTO repos (repo_id, tenant_id, repo_key) VALUES (\(repo), \(tenant), 'r')")
        try transaction.execute(
            """
            INSERT INTO personal_access_tokens (token_id, tenant_id, subject, token_hash, scopes, expires_at,
                created_by_subject, created_at, revoked_at)
            VALUES (\(token), \(tenant), 's', 'h', \(TextList(["repo:*:admin"])), \(now), 's', \(now), \(none))
            """)
        try transaction.execute("INSERT INTO blobs (digest, length_bytes, storage_key) VALUES (\(digest), 1, 'k')")
        try transaction.execute(
            """
            INSERT INTO upload_sessions (upload_id, tenant_id, repo_id, expected_digest, expected_length, state,
                committed_blob_digest, created_by_subject, expires_at, committed_at)
            VALUES (\(upload), \(tenant), \(repo), \(digest), 1, 'committed', \(digest), 's', \(now), \(now))
            """)
        try transaction.execute(
            """
            INSERT INTO package_versions (version_id, tenant_id, repo_id, state, published_at, created_by_subject)
            VALUES (\(version), \(tenant), \(repo), 'published', \(now), 's')
            """)
        try transaction.execute(
            """
            INSERT INTO artifact_entries (version_id, relative_path, blob_digest, checksum_sha256, size_bytes)
            VALUES (\(version), 'p', \(digest), \(digest), 1)
            """)
        try transaction.execute("INSERT INTO manifests (version_id) VALUES (\(version))")
        try transaction.execute("INSERT INTO tombstones (version_id, retention_until) VALUES (\(version), \(now))")
        try transaction.execute(
            """
            INSERT INTO outbox_events (tenant_id, aggregate_type, aggregate_id, event_type, payload, available_at,
                occurred_at, delivered_at)
            VALUES (\(tenant), 'package_version', \(version.description), 'version.published', \(JSON.object([])),
                \(now), \(now), \(none))
            """)
        try transaction.execute(
            """
            INSERT INTO search_index_jobs (tenant_id, version_id, status, available_at, attempts, last_error, updated_at)
            VALUES (\(tenant), \(version), 'failed', \(now), 1, 'e', \(now))
            """)
        try transaction.execute(
            "INSERT INTO search_documents (tenant_id, repo_id, version_id) VALUES (\(tenant), \(repo), \(version))")
        try transaction.execute("INSERT INTO policy_evaluations (version_id, decision) VALUES (\(version), 'deny')")
        try transaction.execute("INSERT INTO quarantine_items (version_id, status) VALUES (\(version), 'rejected')")
        try transaction.execute(
            """
            INSERT INTO artifact_protections (version_id, mode, released_at)
            VALUES (\(version), 'legal_hold', \(none))
            """)
        try transaction.execute("INSERT INTO tenant_governance_policies (tenant_id) VALUES (\(tenant))")
        try transaction.execute("INSERT INTO repo_governance_policies (tenant_id) VALUES (\(tenant))")
        try transaction.execute("INSERT INTO schema_migrations (version) VALUES ('0001_foreign.sql')")
    }
}
