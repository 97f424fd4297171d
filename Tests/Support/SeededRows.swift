// A database with 100,000 rows in the tables that are read most: where plans show whether an index is used.

package import Domain
import Persistence

/// Which rows there are, by number: row `n` of each table belongs to row `n` of the others.
package enum Seeded {
    package static let count = 100_000

    package enum Kind: Int, Sendable {
        case tenant = 1
        case repo, token, upload, package, version, event, release, key, attestation, webhook
    }

    /// The id of the row with this number.
    package static func id(_ kind: Kind, _ number: Int) -> UniqueID {
        let digits = Array(String(kind.rawValue * 1_000_000_000_000 + number).utf8)
        let bytes = [UInt8](repeating: 0x30, count: 16 - digits.count) + digits
        func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        return UniqueID(high: word(bytes[..<8]), low: word(bytes[8...]))
    }

    /// The digest of blob `n`, and the hash of token `n`.
    package static func digest(_ number: Int) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 64 - digits.count) + digits
    }

    package static func repoKey(_ number: Int) -> String { "r\(number)" }
    package static func packageName(_ number: Int) -> String { "p\(number)" }

    /// The first 10,000 repositories have each a virtual one of their tenant, which reads it and the one a hundred further.
    package static func virtualKey(_ number: Int) -> String { "v\(number)" }

    /// When row 0 was made; each one after it a second later.
    package static let start = Timestamp(microseconds: 1_767_225_600_000_000)
    /// Later than all.
    package static let now = Self.start + 1_000_000

    /// There are a hundred tenants.
    package static func tenant(of number: Int) -> UniqueID { self.id(.tenant, number % 100) }
    /// Every second row is in the first repository, the others each in their own.
    package static func repo(of number: Int) -> UniqueID { self.id(.repo, number % 2 == 0 ? 1 : number) }

    static func template(for engine: Engine) -> Template {
        Template(migrated: engine.migrations, rows: SeedScript(engine.dialect).text)
    }
}

extension Engine {
    /// Calls `body` with a database of the whole schema and 100,000 rows in each table that grows, which records query
    /// plans. It is large, so all tests of a process share it: `transaction` throws ``SharedDatabaseIsReadOnly``. A test
    /// that writes uses ``withSeededCopy(_:)``.
    package func withSeededDatabase(_ body: (ExplainingDatabase) async throws -> Void) async throws {
        try await Self.open(try await self.seededPlace, isReadOnly: true, body)
    }

    /// As ``withSeededDatabase(_:)``, for tests that write. On SQLite, which has one writer at a time, each test gets its
    /// own copy of the file. PostgreSQL's database is shared: a test may add rows of its own and changes no others.
    package func withSeededCopy(_ body: (ExplainingDatabase) async throws -> Void) async throws {
        switch self {
        case .sqlite:
            try await SQLitePlaces.with(Seeded.template(for: self)) { try await Self.open($0, isReadOnly: false, body) }
        case .postgreSQL, .bouncer:
            try await Self.open(try await self.seededPlace, isReadOnly: false, body)
        }
    }

    private var seededPlace: Place {
        get async throws {
            let template = Seeded.template(for: self)
            return switch self {
            case .sqlite: try await SQLitePlaces.shared(template)
            case .postgreSQL, .bouncer: try await PostgreSQLPlaces.shared(template, at: self.address!)
            }
        }
    }

    private static func open(
        _ place: Place, isReadOnly: Bool, _ body: (ExplainingDatabase) async throws -> Void
    ) async throws {
        let database = place.open()
        do {
            try await body(ExplainingDatabase(database, isReadOnly: isReadOnly))
        } catch {
            await database.close()
            throw error
        }
        await database.close()
    }
}

/// The inserts, in a dialect's words for ids, times and series.
private struct SeedScript {
    /// Of what belongs to others, or is read by its key only.
    private static let fewer = 10_000

    private let dialect: Dialect

    init(_ dialect: Dialect) { self.dialect = dialect }

    private func id(_ kind: Seeded.Kind, _ number: String = "n") -> String {
        let base = kind.rawValue * 1_000_000_000_000
        return switch self.dialect {
        case .postgreSQL: "encode(lpad((\(base) + \(number))::text, 16, '0')::bytea, 'hex')::uuid"
        case .sqlite: "CAST(printf('%016d', \(base) + \(number)) AS BLOB)"
        }
    }

    private var digest: String { self.dialect == .sqlite ? "printf('%064x', n)" : "lpad(to_hex(n), 64, '0')" }

    private var time: String {
        switch self.dialect {
        case .postgreSQL: "to_timestamp(1767225600) + n * interval '1 second'"
        case .sqlite: "1767225600000000 + n * 1000000"
        }
    }

    private var tenant: String { self.id(.tenant, "n % 100") }
    private var repo: String { self.id(.repo, "CASE WHEN n % 2 = 0 THEN 1 ELSE n END") }
    private var emptyList: String { self.dialect == .sqlite ? "'[]'" : "'{}'" }

    private func insert(_ table: String, _ columns: String, count: Int = Seeded.count, _ values: String) -> String {
        let series =
            switch self.dialect {
            case .postgreSQL: "generate_series(0, \(count - 1)) AS s (n)"
            case .sqlite:
                """
                (WITH RECURSIVE s (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < \(count - 1))
                SELECT n FROM s)
                """
            }
        return "INSERT INTO \(table) (\(columns)) SELECT \(values) FROM \(series);"
    }

    var text: String {
        let scripts = [self.identity, self.uploads, self.packages, self.releases, self.events, self.work]
        return scripts.joined().joined(separator: "\n")
    }

    private var identity: [String] {
        [
            self.insert("tenants", "tenant_id, slug, name", count: 100, "\(self.id(.tenant)), 't' || n, 'T'"),
            self.insert("repos", "repo_id, tenant_id, repo_key", "\(self.id(.repo)), \(self.tenant), 'r' || n"),
            self.insert(
                "repos", "repo_id, tenant_id, repo_key, repo_type", count: Self.fewer,
                "\(self.id(.repo, "1000000 + n")), \(self.tenant), 'v' || n, 'virtual'"),
            self.insert(
                "repository_members", "repo_id, ordinal, member_id", count: Self.fewer,
                "\(self.id(.repo, "1000000 + n")), 0, \(self.id(.repo))"),
            self.insert(
                "repository_members", "repo_id, ordinal, member_id", count: Self.fewer,
                "\(self.id(.repo, "1000000 + n")), 1, \(self.id(.repo, "n + 100"))"),
            self.insert(
                "personal_access_tokens",
                "token_id, tenant_id, subject, token_hash, expires_at, created_by_subject, created_at",
                """
                \(self.id(.token)), \(self.tenant), 's' || n, \(self.digest), \(self.time), 's', \(self.time)
                """),
            self.insert(
                "repo_role_bindings", "repo_id, subject, roles", count: Self.fewer,
                "\(self.repo), 's' || n, \(self.emptyList)"),
            self.insert(
                "tenant_role_bindings", "tenant_id, subject, roles", count: Self.fewer,
                "\(self.tenant), 's' || n, \(self.emptyList)"),
            self.insert(
                "idempotency_keys", "tenant_id, subject, method, path, idempotency_key, body_hash, created_at",
                count: Self.fewer,
                "\(self.tenant), 's', 'POST', '/v1/repos', 'k' || n, 'h', \(self.time)"),
            self.insert(
                "audit_log", "tenant_id, actor, action, resource_type, resource_id, occurred_at",
                "\(self.tenant), 's' || n % 500, 'a' || n % 50, 'repo', 'r' || n, \(self.time)"),
        ]
    }

    private var uploads: [String] {
        [
            self.insert(
                "blobs", "digest, length_bytes, storage_key, created_at, state",
                """
                \(self.digest), n, 'k' || n, \(self.time), CASE WHEN n % 1000 = 0 THEN 'condemned' ELSE 'live' END
                """),
            self.insert(
                "staged_objects", "storage_key, tenant_id, upload_id, created_at", count: Self.fewer,
                "'k' || n, \(self.tenant), \(self.id(.upload)), \(self.time)"),
            self.insert("dead_objects", "storage_key, reason", count: Self.fewer, "'d' || n, 'replaced'"),
            self.insert(
                "upload_sessions",
                """
                upload_id, tenant_id, repo_id, expected_digest, expected_length, state, committed_blob_digest,
                created_by_subject, expires_at
                """,
                """
                \(self.id(.upload)), \(self.tenant), \(self.repo), \(self.digest), n,
                CASE WHEN n % 1000 = 0 THEN 'pending_commit' ELSE 'committed' END,
                CASE WHEN n % 1000 = 0 THEN NULL ELSE \(self.digest) END, 's', \(self.time)
                """),
        ]
    }

    private var packages: [String] {
        [
            self.insert(
                "packages", "package_id, tenant_id, repo_id, package_type, name",
                "\(self.id(.package)), \(self.tenant), \(self.repo), 'generic', 'p' || n"),
            // No sealing yet, or the guards refuse the entries.
            self.insert(
                "package_versions",
                "version_id, tenant_id, repo_id, package_id, version, state, created_by_subject, published_at",
                """
                \(self.id(.version)), \(self.tenant), \(self.repo), \(self.id(.package)), '1', 'published', 's',
                \(self.time)
                """),
            self.insert(
                "artifact_entries", "version_id, relative_path, blob_digest, size_bytes",
                "\(self.id(.version)), 'p' || n, \(self.digest), n"),
            self.insert("manifests", "version_id, manifest", "\(self.id(.version)), '{}'"),
            self.insert(
                "package_tags", "package_id, tag, version_id", "\(self.id(.package)), 'head', \(self.id(.version))"),
            self.insert(
                "package_tag_history", "package_id, tag, to_version_id, actor, occurred_at", count: Self.fewer,
                "\(self.id(.package)), 'head', \(self.id(.version)), 's', \(self.time)"),
            self.insert(
                "quarantine_items", "version_id, repo_id, tenant_id, status", count: 2000,
                "\(self.id(.version, "n * 50")), \(self.id(.repo, "1")), \(self.tenant), 'quarantined'"),
            self.insert("repo_policies", "repo_id", count: Self.fewer, "\(self.id(.repo))"),
            self.insert(
                "policy_evaluations", "version_id, repo_id, tenant_id, decision, content_revision, spent_at",
                count: Self.fewer, "\(self.id(.version)), \(self.repo), \(self.tenant), 'allow', 0, \(self.time)"),
            self.insert(
                "retired_coordinates", "repo_id, package_type, name, version", count: Self.fewer,
                "\(self.repo), 'generic', 'retired-' || n, '1'"),
            self.insert(
                "artifact_protections", "version_id, repo_id, tenant_id, mode", count: Self.fewer,
                "\(self.id(.version)), \(self.repo), \(self.tenant), 'protected'"),
            self.insert(
                "tombstones", "version_id, tenant_id, retention_until", count: Self.fewer,
                "\(self.id(.version)), \(self.tenant), \(self.time)"),
        ]
    }

    /// A release of one version each; an attestation of each version, signed with its repository's one key.
    private var releases: [String] {
        [
            self.insert(
                "releases", "release_id, tenant_id, version_count, published_by_subject, published_at",
                count: Self.fewer, "\(self.id(.release)), \(self.tenant), 1, 's', \(self.time)"),
            self.insert(
                "release_versions", "release_id, position, version_id, repo_key, package_type, name, version",
                count: Self.fewer, "\(self.id(.release)), 0, \(self.id(.version)), 'r' || n, 'generic', 'p' || n, '1'"),
            self.insert(
                "repo_trusted_keys",
                "key_id, repo_id, name, algorithm, fingerprint, public_key, added_by_subject, added_at",
                count: Self.fewer,
                "\(self.id(.key)), \(self.repo), 'k', 'ed25519', \(self.digest), '', 's', \(self.time)"),
            self.insert(
                "attestations", "attestation_id, version_id, kind, blob_digest, added_by_subject, added_at",
                count: Self.fewer,
                "\(self.id(.attestation)), \(self.id(.version)), 'dsse', \(self.digest), 's', \(self.time)"),
            self.insert(
                "attestation_subjects", "attestation_id, digest", count: Self.fewer,
                "\(self.id(.attestation)), \(self.digest)"),
            self.insert(
                "attestation_signers", "attestation_id, key_id, verified_at", count: Self.fewer,
                "\(self.id(.attestation)), \(self.id(.key)), \(self.time)"),
        ]
    }

    private var events: [String] {
        [
            self.insert(
                "outbox_events",
                """
                event_id, tenant_id, aggregate_type, aggregate_id, event_type, available_at, occurred_at, delivered_at
                """,
                """
                \(self.id(.event)), \(self.tenant), 'package_version', 'v' || n, 'version.published', \(self.time),
                \(self.time), CASE WHEN n % 1000 = 0 THEN NULL ELSE \(self.time) END
                """),
            self.insert(
                "events", "repo_id, seq, event_id, tenant_id, event_type, payload, occurred_at",
                """
                \(self.id(.repo, "1")), n, \(self.id(.event)), \(self.tenant), 'version.published', '{}', \(self.time)
                """),
            self.insert("event_counters", "repo_id, last_seq", count: Self.fewer, "\(self.id(.repo)), 1"),
        ]
    }

    private var noBytes: String { self.dialect == .sqlite ? "x''" : "''" }

    /// Words of documents, and their names.
    private var searchIndex: String {
        switch self.dialect {
        case .postgreSQL:
            """
            INSERT INTO search_index (document_id, words) SELECT document_id,
                array_to_tsvector(ARRAY[package_name, 'p', '=' || replace(repo_id::text, '-', '')])
            FROM search_documents;
            """
        case .sqlite:
            """
            INSERT INTO search_index (rowid, words) SELECT document_id, package_name || ' p' FROM search_documents;
            INSERT INTO search_names (rowid, name) SELECT document_id, package_name FROM search_documents;
            """
        }
    }

    private var work: [String] {
        [
            self.insert(
                "search_index_jobs", "tenant_id, version_id, status, available_at, created_at, updated_at",
                """
                \(self.tenant), \(self.id(.version)),
                CASE WHEN n % 1000 = 0 THEN 'pending' WHEN n % 1000 = 1 THEN 'processing' ELSE 'completed' END,
                \(self.time), \(self.time), \(self.time)
                """),
            self.insert(
                "search_documents", "tenant_id, repo_id, version_id, package_name, published_at, word_rules",
                """
                \(self.tenant), \(self.repo), \(self.id(.version)), 'p' || n, \(self.time),
                CASE WHEN n % 1000 = 0 THEN 1 ELSE 2 END
                """),
            self.searchIndex,
            // What was indexed has left it again: a table that autovacuum finds empty is read as a whole.
            self.insert(
                "search_backlog", "version_id, tenant_id, repo_id, published_at",
                "\(self.id(.version)), \(self.tenant), \(self.repo), \(self.time)"),
            self.insert(
                "webhooks",
                """
                webhook_id, tenant_id, repo_id, url, event_types, sealed_secret, created_by_subject, created_at,
                next_attempt_at
                """, count: Self.fewer,
                """
                \(self.id(.webhook)), \(self.tenant), \(self.repo), 'http://h/' || n, \(self.emptyList), \(self.noBytes),
                's', \(self.time), \(self.time)
                """),
            self.insert(
                "webhook_deliveries", "webhook_id, event_id, event_type, payload, occurred_at, status",
                """
                \(self.id(.webhook, "n % 1000")), \(self.id(.event)), 'version.published', '{}', \(self.time),
                CASE WHEN n % 1000 = 7 THEN 'pending' ELSE 'delivered' END
                """),
        ]
    }
}
