// The schema is the same on both databases, and open to the statements of contract 8.2.

import Domain
import Persistence
import PostgreSQL
import SQLite
import TestSupport
import Testing

@Suite struct SchemaTests {
    /// Table, column, whether an insert must give it.
    private struct Column: Hashable, Comparable {
        let table: String, name: String, isRequired: Bool

        static func < (left: Self, right: Self) -> Bool { (left.table, left.name) < (right.table, right.name) }
    }

    private static func columns(of database: any Database) async throws -> [Column] {
        try await database.read { transaction in
            try transaction.all(
                """
                \(.either(
                    postgreSQL: """
                        SELECT table_name::text, column_name::text, is_nullable = 'NO' AND column_default IS NULL
                            AND is_identity = 'NO'
                        FROM information_schema.columns WHERE table_schema = 'public'
                        """,
                    sqlite: """
                        SELECT t.name, c.name, c."notnull" AND c.dflt_value IS NULL
                        FROM sqlite_schema t, pragma_table_info(t.name) c
                        WHERE t.type IN ('table', 'view') AND t.name NOT LIKE 'sqlite%'
                        """))
                """, as: { Column(table: try $0[0], name: try $0[1], isRequired: try $0[2]) }
            ).sorted()
        }
    }

    @Test(.enabled(if: Engine.direct.count == 2))
    func `both databases have the same tables and columns, required alike`() async throws {
        try await Engine.sqlite.withDatabase { sqlite in
            try await Engine.postgreSQL.withDatabase { postgreSQL in
                // The search index itself is each database's own.
                let isOwn = { (column: Column) in
                    column.table.hasPrefix("search_index_") && column.table != "search_index_jobs"
                        || column.table == "search_index" || column.table.hasPrefix("search_names")
                }
                let ours = try await Self.columns(of: sqlite).filter { !isOwn($0) }
                let theirs = try await Self.columns(of: postgreSQL).filter { !isOwn($0) }
                #expect(Set(ours).symmetricDifference(theirs) == [])
                #expect(ours.count > 300)
            }
        }
    }

    @Test func `both databases have the same migrations`() {
        #expect(SQLiteDatabase.migrations.map(\.version) == PostgreSQLDatabase.migrations.map(\.version))
        #expect(SQLiteDatabase.migrations.map(\.oldestLevel) == PostgreSQLDatabase.migrations.map(\.oldestLevel))
    }

    /// Contract 8.2, column for column.
    private static let listed: KeyValuePairs<String, [String]> = [
        "schema_migrations": ["version", "applied_at"],
        "tenants": ["tenant_id", "slug", "name"],
        "repos": ["repo_id", "tenant_id", "repo_key"],
        "personal_access_tokens": [
            "token_id", "tenant_id", "subject", "token_hash", "scopes", "expires_at", "created_by_subject",
            "created_at", "revoked_at",
        ],
        "blobs": ["digest", "length_bytes", "storage_key", "created_at"],
        "upload_sessions": [
            "upload_id", "tenant_id", "repo_id", "expected_digest", "expected_length", "state",
            "committed_blob_digest", "created_by_subject", "expires_at", "committed_at",
        ],
        "package_versions": ["version_id", "tenant_id", "repo_id", "state", "published_at", "created_by_subject"],
        "artifact_entries": ["version_id", "relative_path", "blob_digest", "checksum_sha256", "size_bytes"],
        "manifests": ["version_id"],
        "tombstones": ["version_id", "retention_until"],
        "outbox_events": [
            "event_id", "tenant_id", "aggregate_type", "aggregate_id", "event_type", "payload", "available_at",
            "occurred_at", "delivered_at",
        ],
        "search_index_jobs": [
            "tenant_id", "version_id", "status", "available_at", "attempts", "last_error", "updated_at",
        ],
        "search_documents": ["tenant_id", "repo_id", "version_id"],
        "policy_evaluations": ["evaluation_id", "version_id", "decision"],
        "quarantine_items": ["version_id", "status"],
        "artifact_protections": ["version_id", "mode", "released_at"],
        "tenant_governance_policies": ["tenant_id"],
        "repo_governance_policies": ["tenant_id"],
        "packages": [], "audit_log": [], "gc_runs": [],
    ]

    @Test(arguments: Engine.direct)
    func `a column that the contract doesn't list needs no value`(engine: Engine) async throws {
        try await engine.withDatabase { database in
            let columns = try await Self.columns(of: database)
            for (table, names) in Self.listed {
                let there = columns.filter { $0.table == table }
                #expect(!there.isEmpty, "\(table)")
                #expect(Set(names).subtracting(there.map(\.name)) == [], "\(table)")
                #expect(there.filter { $0.isRequired && !names.contains($0.name) } == [], "\(table)")
            }
        }
    }

    @Test(arguments: Engine.direct)
    func `rows of exactly the listed columns are taken`(engine: Engine) async throws {
        try await engine.withDatabase { database in
            try await database.transaction { transaction in
                try Rows.listed(transaction)
                let tenants = try transaction.all("SELECT tenant_id FROM tenants", as: { try $0[0] as TenantID })
                #expect(tenants.count == 1)
                let items = try transaction.all(
                    "SELECT quarantine_id, created_at FROM quarantine_items",
                    as: { (try $0[0] as UniqueID, try $0[1] as Timestamp) })
                // The default of a time is now, of an id 16 bytes of its own.
                #expect(items.count == 1 && items[0].1.microseconds > 1_750_000_000_000_000)
            }
        }
    }

    @Test(arguments: Engine.direct)
    func `every foreign key has an index, and none is deferred`(engine: Engine) async throws {
        try await engine.withDatabase { database in
            let bare = try await database.read { transaction in
                try transaction.all(
                    """
                    \(.either(
                        postgreSQL: """
                            SELECT c.conrelid::regclass::text || ' ' || c.conname FROM pg_constraint c
                            WHERE c.contype = 'f' AND (c.condeferrable OR NOT EXISTS (
                                SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indpred IS NULL
                                    AND i.indkey[0] = c.conkey[1]))
                            """,
                        sqlite: """
                            SELECT t.name || ' ' || f."from" FROM sqlite_schema t, pragma_foreign_key_list(t.name) f
                            WHERE t.type = 'table' AND NOT EXISTS (
                                SELECT 1 FROM pragma_index_list(t.name) l, pragma_index_info(l.name) c
                                WHERE NOT l.partial AND c.seqno = 0 AND c.name = f."from")
                            """))
                    """, as: { try $0[0] as String })
            }
            #expect(bare == [])
        }
    }

    @Test(arguments: Engine.direct)
    func `names sort by their bytes, whatever the locale`(engine: Engine) async throws {
        try await engine.withDatabase { database in
            let names = try await database.transaction { transaction in
                let rows = try Rows(transaction)
                for name in ["b", "A", "_", "é", "a-b", "ab", "Z"] {
                    try transaction.execute(
                        """
                        INSERT INTO packages (tenant_id, repo_id, package_type, name)
                        VALUES (\(rows.tenant), \(rows.repo), 'order', \(name))
                        """)
                }
                return try transaction.all(
                    "SELECT name FROM packages WHERE package_type = 'order' ORDER BY name",
                    as: { try $0[0] as String })
            }
            #expect(names == ["A", "Z", "_", "a-b", "ab", "b", "é"])
        }
    }
}
