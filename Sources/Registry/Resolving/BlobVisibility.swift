// Where a tenant's repositories show a blob by its digest, as statements. Source: architecture, section 5 (Who sees what:
// `/v1` blob by digest); HTTP contract, 3.4 and section 9, row 23.

import Domain
import Persistence

enum BlobVisibility {
    /// Since when the repository `r` shows the digest; NULL where it doesn't: since a session was committed there, or
    /// since a version of it, not a draft, has an entry or a manifest with it.
    static func since(_ digest: BlobDigest) -> SQL {
        """
        COALESCE(
            (SELECT COALESCE(s.committed_at, s.created_at) FROM upload_sessions s
                WHERE s.repo_id = r.repo_id AND s.committed_blob_digest = \(digest) AND s.state = 'committed'
                ORDER BY s.committed_at LIMIT 1),
            (SELECT COALESCE(v.published_at, v.created_at) FROM artifact_entries e CROSS JOIN package_versions v
                WHERE e.blob_digest = \(digest) AND v.version_id = e.version_id AND v.repo_id = r.repo_id AND v.state <> 'draft'
                ORDER BY e.version_id LIMIT 1),
            (SELECT COALESCE(v.published_at, v.created_at) FROM manifests m CROSS JOIN package_versions v
                WHERE m.blob_digest = \(digest) AND v.version_id = m.version_id AND v.repo_id = r.repo_id AND v.state <> 'draft'
                ORDER BY m.version_id LIMIT 1))
        """
    }

    /// Whether a version of the repository `r` that is in quarantine, or was rejected, has an entry or a manifest with
    /// the digest. The order of the joins is SQLite's order of work (CROSS JOIN): from the digest, never through all
    /// versions of a repository.
    static func isWithheld(_ digest: BlobDigest) -> SQL {
        """
        (EXISTS (SELECT 1 FROM artifact_entries e CROSS JOIN package_versions v CROSS JOIN quarantine_items q
                WHERE e.blob_digest = \(digest) AND v.version_id = e.version_id AND v.repo_id = r.repo_id
                    AND q.version_id = v.version_id AND q.status <> 'released')
            OR EXISTS (SELECT 1 FROM manifests m CROSS JOIN package_versions v CROSS JOIN quarantine_items q
                WHERE m.blob_digest = \(digest) AND v.version_id = m.version_id AND v.repo_id = r.repo_id
                    AND q.version_id = v.version_id AND q.status <> 'released'))
        """
    }

    /// Whether the caller may read these bytes now in some repository of his tenant.
    static func isReadable(
        _ draft: UploadDraft, by caller: Caller, _ transaction: borrowing Transaction
    ) throws -> Bool {
        let digest = draft.expectedDigest
        return try transaction.first(
            """
            SELECT 1 FROM blobs b
            WHERE b.digest = \(digest) AND b.length_bytes = \(draft.expectedLength) AND b.state <> 'deleting'
                AND b.blocked_at IS NULL
                AND EXISTS (
                    SELECT 1 FROM (
                        SELECT s.repo_id FROM upload_sessions s
                        WHERE s.committed_blob_digest = \(digest) AND s.state = 'committed'
                        UNION ALL
                        SELECT v.repo_id FROM artifact_entries e JOIN package_versions v ON v.version_id = e.version_id
                        WHERE e.blob_digest = \(digest) AND v.state <> 'draft'
                        UNION ALL
                        SELECT v.repo_id FROM manifests m JOIN package_versions v ON v.version_id = m.version_id
                        WHERE m.blob_digest = \(digest) AND v.state <> 'draft'
                    ) h JOIN repos r ON r.repo_id = h.repo_id
                    WHERE r.tenant_id = \(caller.tenant) AND \(self.mayRead(caller)) AND NOT \(self.isWithheld(digest)))
            """, as: { _ in true }) ?? false
    }

    private static func mayRead(_ caller: Caller) -> SQL {
        if caller.holdsEverywhere(.read) { return "true" }
        let keys = caller.scopes.compactMap { $0.role.satisfies(.read) ? $0.repo?.text : nil }
        return """
            (r.repo_key \(.isOneOf(keys)) OR \(.either(
                postgreSQL: "(r.settings ->> 'anonymousRead') = 'true'",
                sqlite: "(r.settings ->> 'anonymousRead') = 1")))
            """
    }
}
