// What waits for the search index is kept by the database: it must be what the contract's definition gives, whoever writes.
// Rules: HTTP contract, 7.10 (`staleDocuments`).

import Domain
import Persistence
import TestSupport
import Testing

@Suite struct SearchBacklogTests {
    private struct Done: Error {}

    /// Where a version isn't in the state that a change needs, the change meets no row.
    private static func change(_ version: UniqueID, of rows: Rows, using random: inout SplitMix64) -> SQL {
        let time = Timestamp(microseconds: Rows.noon.microseconds + Int64.random(in: -1...1, using: &random))
        let isVersion: SQL = "version_id = \(version)"
        switch Int.random(in: 0..<8, using: &random) {
        case 0:
            return """
                INSERT INTO package_versions (version_id, tenant_id, repo_id, state, created_by_subject)
                VALUES (\(version), \(rows.tenant), \(rows.repo), 'draft', 's') ON CONFLICT DO NOTHING
                """
        case 1:
            return """
                INSERT INTO package_versions (version_id, tenant_id, repo_id, state, published_at, created_by_subject)
                VALUES (\(version), \(rows.tenant), \(rows.repo), 'published', \(Rows.noon), 's') ON CONFLICT DO NOTHING
                """
        case 2:
            return """
                UPDATE package_versions SET state = 'published', published_at = \(Rows.noon)
                WHERE \(isVersion) AND state = 'draft'
                """
        case 3:
            return """
                UPDATE package_versions SET state = 'tombstoned', tombstoned_at = \(Rows.later), tombstone_reason = 'x'
                WHERE \(isVersion) AND state = 'published'
                """
        case 4: return "DELETE FROM package_versions WHERE \(isVersion) AND state <> 'published'"
        case 5: return "DELETE FROM search_documents WHERE \(isVersion)"
        default:
            return """
                INSERT INTO search_documents (tenant_id, repo_id, version_id, indexed_at)
                SELECT tenant_id, repo_id, version_id, \(time) FROM package_versions WHERE \(isVersion)
                ON CONFLICT (tenant_id, version_id) DO UPDATE SET indexed_at = excluded.indexed_at
                """
        }
    }

    @Test(arguments: Engine.direct)
    func `what waits is what is published without a document, or with an older one`(engine: Engine) async throws {
        try await engine.withDatabase { database in
            for seed in UInt64(1)...10 {
                await #expect(throws: Done.self) {
                    try await database.transaction { transaction in
                        var random = SplitMix64(seed)
                        let rows = try Rows(transaction)
                        let versions = (0..<5).map { _ in UniqueID.random() }
                        var sizes: Set<Int> = []
                        for step in 0..<100 {
                            let version = versions.randomElement(using: &random) ?? rows.version
                            try transaction.execute(Self.change(version, of: rows, using: &random))
                            let kept = try transaction.all(
                                "SELECT version_id FROM search_backlog ORDER BY version_id",
                                as: { try $0[0] as UniqueID })
                            let defined = try transaction.all(
                                """
                                SELECT v.version_id FROM package_versions v LEFT JOIN search_documents d
                                    ON d.tenant_id = v.tenant_id AND d.version_id = v.version_id
                                WHERE v.state = 'published'
                                    AND (d.indexed_at IS NULL OR d.indexed_at < v.published_at)
                                ORDER BY v.version_id
                                """, as: { try $0[0] as UniqueID })
                            #expect(kept == defined, "seed \(seed), step \(step)")
                            sizes.insert(kept.count)
                        }
                        #expect(sizes.count > 2)
                        throw Done()  // each walk begins with nothing
                    }
                }
            }
        }
    }
}
