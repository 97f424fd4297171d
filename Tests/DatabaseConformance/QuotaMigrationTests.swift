// Usage of rows that were there before quotas counted every way in. Rules: HTTP contract, section 9, row 49.

import Cryptography
import Domain
import Persistence
import TestSupport
import Testing

@Suite struct QuotaMigrationTests {
    @Test(arguments: Engine.direct)
    func `what was published before is counted by the migration, and given back afterwards`(
        engine: Engine
    ) async throws {
        let before = engine.migrations.filter { $0.version < "V0018" }
        try await engine.withDatabase(before) { database in
            let (tenant, repo) = (UniqueID.random(), UniqueID.random())
            let (file, entry) = (UniqueID.random(), UniqueID.random())
            let (then, later) = (Timestamp(microseconds: 1_000_000), Timestamp(microseconds: 2_000_000))
            let digest = SHA256.digest(of: "blob").hex
            try await database.transaction { transaction in
                for statement in [
                    "INSERT INTO tenants (tenant_id, slug, name) VALUES (\(tenant), 't', 'T')",
                    "INSERT INTO repos (repo_id, tenant_id, repo_key) VALUES (\(repo), \(tenant), 'r')",
                    "INSERT INTO blobs (digest, length_bytes, storage_key) VALUES (\(digest), 100, 'k')",
                    """
                    INSERT INTO upload_sessions (upload_id, tenant_id, repo_id, expected_digest, expected_length,
                        state, committed_blob_digest, created_by_subject, expires_at)
                    VALUES (\(UniqueID.random()), \(tenant), \(repo), \(digest), 100, 'committed', \(digest), 's',
                        \(later))
                    """,
                ] as [SQL] { try transaction.execute(statement) }
                // A file by path is created and published at once; a draft is published later.
                for (id, created) in [(file, later), (entry, then)] {
                    for statement in [
                        """
                        INSERT INTO package_versions (version_id, tenant_id, repo_id, version, state, sealing,
                            created_by_subject, created_at)
                        VALUES (\(id), \(tenant), \(repo), \(id.description), 'draft', 'sealed', 's', \(created))
                        """,
                        """
                        INSERT INTO artifact_entries (version_id, relative_path, blob_digest, size_bytes)
                        VALUES (\(id), 'f', \(digest), 100)
                        """,
                        "INSERT INTO manifests (version_id, blob_digest) VALUES (\(id), \(digest))",
                        """
                        UPDATE package_versions SET state = 'published', published_at = \(later)
                        WHERE version_id = \(id)
                        """,
                        """
                        INSERT INTO attestations (attestation_id, version_id, kind, blob_digest, added_by_subject,
                            added_at)
                        VALUES (\(UniqueID.random()), \(id), 'dsse', \(digest), 's', \(later))
                        """,
                    ] as [SQL] { try transaction.execute(statement) }
                }
            }
            func usage() async throws -> Int64 {
                try await database.lookup { try AdmissionStore.usage(of: TenantID(tenant), $0) }.logicalStorageBytes
            }
            try await Migrator.migrate(database, to: engine.migrations)
            // The session; the file with its document; an attestation each.
            #expect(try await usage() == 100 + 200 + 200)
            for (id, left) in [(file, 200), (entry, 100)] as [(UniqueID, Int64)] {
                try await database.transaction { transaction in
                    try transaction.execute(
                        """
                        UPDATE package_versions SET state = 'tombstoned', tombstoned_at = \(later)
                        WHERE version_id = \(id)
                        """)
                    _ = try transaction.execute("DELETE FROM package_versions WHERE version_id = \(id)")
                }
                #expect(try await usage() == left)
            }
            // The guards are as they were.
            try await database.transaction { transaction in
                _ = try transaction.execute("DELETE FROM upload_sessions")
            }
            #expect(try await usage() == 0)
        }
    }
}
