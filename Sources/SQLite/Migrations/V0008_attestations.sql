-- Attestations and signatures on versions, and the keys that a repository trusts. PostgreSQL's file has the same tables
-- and columns.

CREATE TABLE repo_trusted_keys (
    key_id BLOB NOT NULL PRIMARY KEY CHECK (length(key_id) = 16),
    repo_id BLOB NOT NULL REFERENCES repos ON DELETE CASCADE,
    name TEXT NOT NULL,
    algorithm TEXT NOT NULL CHECK (algorithm IN ('ed25519', 'ecdsa-p256', 'ecdsa-p384', 'rsa')),
    fingerprint TEXT NOT NULL,
    public_key TEXT NOT NULL,
    added_by_subject TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    removed_by_subject TEXT,
    removed_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX repo_trusted_keys_repo ON repo_trusted_keys (repo_id, key_id);
CREATE UNIQUE INDEX repo_trusted_keys_live ON repo_trusted_keys (repo_id, fingerprint) WHERE removed_at IS NULL;

-- A reference to a blob like those of artifact_entries and manifests: what it names is retained.
CREATE TABLE attestations (
    attestation_id BLOB NOT NULL PRIMARY KEY CHECK (length(attestation_id) = 16),
    version_id BLOB NOT NULL REFERENCES package_versions ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('dsse', 'in_toto', 'signature')),
    blob_digest TEXT NOT NULL REFERENCES blobs,
    -- Of a detached signature: which bytes it signs. Empty where the document says so itself.
    signed_digest TEXT NOT NULL DEFAULT '',
    predicate_type TEXT,
    added_by_subject TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    UNIQUE (version_id, kind, blob_digest, signed_digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX attestations_version ON attestations (version_id, attestation_id);
CREATE INDEX attestations_blob ON attestations (blob_digest, version_id);

-- What the document is about, by SHA-256; also what isn't in this version.
CREATE TABLE attestation_subjects (
    attestation_id BLOB NOT NULL REFERENCES attestations ON DELETE CASCADE,
    digest TEXT NOT NULL,
    PRIMARY KEY (attestation_id, digest)
) STRICT, WITHOUT ROWID;

-- Keys with which a signature of the document was verified. It counts while the key is trusted.
CREATE TABLE attestation_signers (
    attestation_id BLOB NOT NULL REFERENCES attestations ON DELETE CASCADE,
    key_id BLOB NOT NULL REFERENCES repo_trusted_keys ON DELETE CASCADE,
    verified_at INTEGER NOT NULL,
    PRIMARY KEY (attestation_id, key_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX attestation_signers_key ON attestation_signers (key_id);

-- Attestations are added, never changed; one goes with its version only.
CREATE TRIGGER attestations_guard_update BEFORE UPDATE ON attestations FOR EACH ROW
BEGIN
    SELECT RAISE(ABORT, 'AF001 an attestation cannot change');
END;
CREATE TRIGGER attestations_guard_delete BEFORE DELETE ON attestations FOR EACH ROW
    WHEN EXISTS (SELECT 1 FROM package_versions WHERE version_id = OLD.version_id AND state = 'published')
BEGIN
    SELECT RAISE(ABORT, 'AF001 the version is published: its attestations stay');
END;
