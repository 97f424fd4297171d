-- Attestations and signatures on versions, and the keys that a repository trusts. SQLite's file has the same tables and
-- columns.

CREATE TABLE repo_trusted_keys (
    key_id uuid PRIMARY KEY,
    repo_id uuid NOT NULL REFERENCES repos ON DELETE CASCADE,
    name text NOT NULL,
    algorithm text NOT NULL CHECK (algorithm IN ('ed25519', 'ecdsa-p256', 'ecdsa-p384', 'rsa')),
    fingerprint text COLLATE "C" NOT NULL,
    public_key text NOT NULL,
    added_by_subject text NOT NULL,
    added_at timestamptz NOT NULL,
    removed_by_subject text,
    removed_at timestamptz
);
CREATE INDEX repo_trusted_keys_repo ON repo_trusted_keys (repo_id, key_id);
CREATE UNIQUE INDEX repo_trusted_keys_live ON repo_trusted_keys (repo_id, fingerprint) WHERE removed_at IS NULL;

-- A reference to a blob like those of artifact_entries and manifests: what it names is retained.
CREATE TABLE attestations (
    attestation_id uuid PRIMARY KEY,
    version_id uuid NOT NULL REFERENCES package_versions ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('dsse', 'in_toto', 'signature')),
    blob_digest text COLLATE "C" NOT NULL REFERENCES blobs,
    -- Of a detached signature: which bytes it signs. Empty where the document says so itself.
    signed_digest text COLLATE "C" NOT NULL DEFAULT '',
    predicate_type text COLLATE "C",
    added_by_subject text NOT NULL,
    added_at timestamptz NOT NULL,
    UNIQUE (version_id, kind, blob_digest, signed_digest)
);
CREATE INDEX attestations_version ON attestations (version_id, attestation_id);
CREATE INDEX attestations_blob ON attestations (blob_digest, version_id);

-- What the document is about, by SHA-256; also what isn't in this version.
CREATE TABLE attestation_subjects (
    attestation_id uuid NOT NULL REFERENCES attestations ON DELETE CASCADE,
    digest text COLLATE "C" NOT NULL,
    PRIMARY KEY (attestation_id, digest)
);

-- Keys with which a signature of the document was verified. It counts while the key is trusted.
CREATE TABLE attestation_signers (
    attestation_id uuid NOT NULL REFERENCES attestations ON DELETE CASCADE,
    key_id uuid NOT NULL REFERENCES repo_trusted_keys ON DELETE CASCADE,
    verified_at timestamptz NOT NULL,
    PRIMARY KEY (attestation_id, key_id)
);
CREATE INDEX attestation_signers_key ON attestation_signers (key_id);

-- Attestations are added, never changed; one goes with its version only.
CREATE FUNCTION guard_attestation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        RAISE EXCEPTION 'attestation % cannot change', OLD.attestation_id USING ERRCODE = 'AF001';
    END IF;
    IF EXISTS (SELECT 1 FROM package_versions WHERE version_id = OLD.version_id AND state = 'published') THEN
        RAISE EXCEPTION 'version % is published: its attestations stay', OLD.version_id USING ERRCODE = 'AF001';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER attestations_guard BEFORE UPDATE OR DELETE ON attestations
    FOR EACH ROW EXECUTE FUNCTION guard_attestation();
