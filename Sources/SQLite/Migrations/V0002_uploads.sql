-- What upload sessions need beside the core. Rules: HTTP contract 3.4, 7.5 and section 9, rows 11, 33 and 38;
-- checksums: architecture, section 7. PostgreSQL's file has the same tables and columns.

-- The store itself knows which parts have arrived.
DROP TABLE upload_parts;

ALTER TABLE upload_sessions ADD COLUMN sealed_length INTEGER CHECK (sealed_length >= 0);
-- The SHA-256 that was computed while the bytes came through the server in one part; NULL where they went by it.
ALTER TABLE upload_sessions ADD COLUMN sealed_digest TEXT;

-- The earliest commit of a digest in a repository is one step in this index.
DROP INDEX upload_sessions_committed;
CREATE INDEX upload_sessions_committed ON upload_sessions (repo_id, committed_blob_digest, committed_at)
    WHERE state = 'committed';

-- What a tenant's sessions use: kept by triggers, so that admission reads one row.
CREATE TABLE tenant_usage (
    tenant_id BLOB NOT NULL PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
    logical_bytes INTEGER NOT NULL DEFAULT 0,
    open_sessions INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TRIGGER upload_sessions_usage_insert AFTER INSERT ON upload_sessions FOR EACH ROW
BEGIN
    INSERT INTO tenant_usage (tenant_id, logical_bytes, open_sessions) VALUES (NEW.tenant_id,
        CASE WHEN NEW.state IN ('initiated', 'parts_uploading', 'pending_commit')
            OR (NEW.state = 'committed' AND NEW.committed_blob_digest IS NOT NULL) THEN NEW.expected_length ELSE 0 END,
        NEW.state IN ('initiated', 'parts_uploading', 'pending_commit'))
    ON CONFLICT (tenant_id) DO UPDATE SET logical_bytes = logical_bytes + excluded.logical_bytes,
        open_sessions = open_sessions + excluded.open_sessions;
END;

CREATE TRIGGER upload_sessions_usage_delete AFTER DELETE ON upload_sessions FOR EACH ROW
BEGIN
    UPDATE tenant_usage SET
        logical_bytes = logical_bytes - CASE WHEN OLD.state IN ('initiated', 'parts_uploading', 'pending_commit')
            OR (OLD.state = 'committed' AND OLD.committed_blob_digest IS NOT NULL) THEN OLD.expected_length ELSE 0 END,
        open_sessions = open_sessions - (OLD.state IN ('initiated', 'parts_uploading', 'pending_commit'))
    WHERE tenant_id = OLD.tenant_id;
END;

CREATE TRIGGER upload_sessions_usage_update AFTER UPDATE ON upload_sessions FOR EACH ROW
    WHEN NEW.state <> OLD.state OR NEW.committed_blob_digest IS NOT OLD.committed_blob_digest
        OR NEW.expected_length <> OLD.expected_length OR NEW.tenant_id <> OLD.tenant_id
BEGIN
    UPDATE tenant_usage SET
        logical_bytes = logical_bytes - CASE WHEN OLD.state IN ('initiated', 'parts_uploading', 'pending_commit')
            OR (OLD.state = 'committed' AND OLD.committed_blob_digest IS NOT NULL) THEN OLD.expected_length ELSE 0 END,
        open_sessions = open_sessions - (OLD.state IN ('initiated', 'parts_uploading', 'pending_commit'))
    WHERE tenant_id = OLD.tenant_id;
    INSERT INTO tenant_usage (tenant_id, logical_bytes, open_sessions) VALUES (NEW.tenant_id,
        CASE WHEN NEW.state IN ('initiated', 'parts_uploading', 'pending_commit')
            OR (NEW.state = 'committed' AND NEW.committed_blob_digest IS NOT NULL) THEN NEW.expected_length ELSE 0 END,
        NEW.state IN ('initiated', 'parts_uploading', 'pending_commit'))
    ON CONFLICT (tenant_id) DO UPDATE SET logical_bytes = logical_bytes + excluded.logical_bytes,
        open_sessions = open_sessions + excluded.open_sessions;
END;

INSERT INTO tenant_usage (tenant_id, logical_bytes, open_sessions)
SELECT tenant_id,
    sum(CASE WHEN state IN ('initiated', 'parts_uploading', 'pending_commit')
        OR (state = 'committed' AND committed_blob_digest IS NOT NULL) THEN expected_length ELSE 0 END),
    sum(state IN ('initiated', 'parts_uploading', 'pending_commit'))
FROM upload_sessions GROUP BY tenant_id;

-- An object that is to be deleted may still be an upload in parts.
ALTER TABLE dead_objects ADD COLUMN storage_upload_id TEXT;

-- What a session was uploading goes with it, however it goes.
CREATE TRIGGER upload_sessions_free AFTER DELETE ON upload_sessions FOR EACH ROW
BEGIN
    INSERT INTO dead_objects (storage_key, reason, storage_upload_id)
        SELECT storage_key, 'session deleted', storage_upload_id FROM staged_objects WHERE upload_id = OLD.upload_id
        ON CONFLICT (storage_key) DO NOTHING;
    DELETE FROM staged_objects WHERE upload_id = OLD.upload_id;
END;

-- Blobs of which a format wants further checksums: computed off the answer's path.
CREATE TABLE checksum_queue (
    digest TEXT NOT NULL PRIMARY KEY REFERENCES blobs ON DELETE CASCADE,
    queued_at INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER))
) STRICT, WITHOUT ROWID;
CREATE INDEX checksum_queue_due ON checksum_queue (next_attempt_at, digest);
