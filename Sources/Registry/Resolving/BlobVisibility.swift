// Where a tenant's repositories show a blob by its digest, as parts of statements. The database counts the references of a
// repository to a digest (`repository_blobs`), so each question is answered by one row, whatever their number.

import Domain
import Persistence

enum BlobVisibility {
    /// The counts `u` of the digest in the repository that a row is about.
    static func join(_ digest: BlobDigest) -> SQL {
        "LEFT JOIN repository_blobs u ON u.digest = \(digest) AND u.repo_id = \(AccessStore.member)"
    }

    /// Since when the repository that a row is about shows the digest: since a session was committed there, or since a
    /// version of it that is not a draft has an entry or a manifest with it. NULL if it does not.
    static func since(_ digest: BlobDigest) -> SQL {
        """
        COALESCE(
            (SELECT COALESCE(s.committed_at, s.created_at) FROM upload_sessions s
                WHERE s.repo_id = \(AccessStore.member) AND s.committed_blob_digest = \(digest) AND s.state = 'committed'
                ORDER BY s.committed_at LIMIT 1),
            CASE WHEN u.shown > 0 THEN u.shown_since END)
        """
    }

    /// Whether a version of the repository that is in quarantine, or was rejected, has an entry or a manifest with the digest.
    static let isWithheld: SQL = "COALESCE(u.withheld > 0, false)"

    /// Whether a repository shows the digest and does not withhold it.
    private static let isShown: SQL = "u.readable = true"

    /// Whether the caller may read these bytes now in some repository of its tenant.
    static func isReadable(
        _ draft: UploadDraft, by caller: Caller, _ transaction: borrowing Transaction
    ) throws -> Bool {
        let digest = draft.expectedDigest
        return try transaction.first(
            """
            SELECT 1 FROM blobs b
            WHERE b.digest = \(digest) AND b.length_bytes = \(draft.expectedLength) AND b.state <> 'deleting'
                AND b.blocked_at IS NULL AND (\(self.isShown(digest, to: caller)))
            """, as: { _ in true }) ?? false
    }

    /// The work grows with the caller's scopes and with the repositories that can be read without a token, never with
    /// the references: each such repository is looked at alone. (A subquery with a limit keeps PostgreSQL from
    /// beginning with the references.)
    private static func isShown(_ digest: BlobDigest, to caller: Caller) -> SQL {
        if caller.holdsEverywhere(.read) {
            // The highest by the index is one row. (Asked whether a readable row exists, PostgreSQL reads all rows of a
            // digest that has very many, because it expects to find one soon.)
            return """
                (SELECT u.readable FROM repository_blobs u
                    WHERE u.digest = \(digest) AND u.tenant_id = \(caller.tenant)
                    ORDER BY u.readable DESC LIMIT 1) = true
                """
        }
        let keys = caller.scopes.compactMap { $0.role.satisfies(.read) ? $0.repo?.text : nil }
        let shows: SQL = """
            (SELECT 1 FROM repository_blobs u
                WHERE u.digest = \(digest) AND u.repo_id = r.repo_id AND \(self.isShown) LIMIT 1) = 1
            """
        return """
            EXISTS (SELECT 1 FROM repos r
                WHERE r.tenant_id = \(caller.tenant) AND r.repo_key \(.isOneOf(keys)) AND \(shows))
            OR EXISTS (SELECT 1 FROM repos r
                WHERE r.tenant_id = \(caller.tenant) AND \(shows) AND \(.either(
                    postgreSQL: "r.settings ->> 'anonymousRead' = 'true'",
                    sqlite: "r.settings ->> 'anonymousRead' = 1")))
            """
    }
}
