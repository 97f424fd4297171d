-- Logical bytes of a tenant, whatever way they came in (HTTP contract, 7.5 and section 9, row 49): upload sessions as before,
-- files and copies published without a session, original documents, attestations. PostgreSQL's file has the same tables
-- and columns, and explains them. With one writer, a tenant has one slot.

DROP TRIGGER upload_sessions_usage_insert;
DROP TRIGGER upload_sessions_usage_delete;
DROP TRIGGER upload_sessions_usage_update;

CREATE TABLE tenant_usage_slots (
    tenant_id BLOB NOT NULL REFERENCES tenants ON DELETE CASCADE,
    logical_bytes INTEGER NOT NULL DEFAULT 0,
    open_sessions INTEGER NOT NULL DEFAULT 0,
    slot INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, slot)
) STRICT, WITHOUT ROWID;
INSERT INTO tenant_usage_slots (tenant_id, logical_bytes, open_sessions)
SELECT tenant_id, logical_bytes, open_sessions FROM tenant_usage;
DROP TABLE tenant_usage;

CREATE VIEW tenant_usage AS
SELECT tenant_id, SUM(logical_bytes) AS logical_bytes, SUM(open_sessions) AS open_sessions
FROM tenant_usage_slots GROUP BY tenant_id;

CREATE TRIGGER upload_sessions_usage_insert AFTER INSERT ON upload_sessions FOR EACH ROW
BEGIN
    INSERT INTO tenant_usage_slots (tenant_id, logical_bytes, open_sessions) VALUES (NEW.tenant_id,
        CASE WHEN NEW.state IN ('initiated', 'parts_uploading', 'pending_commit')
            OR (NEW.state = 'committed' AND NEW.committed_blob_digest IS NOT NULL) THEN NEW.expected_length ELSE 0 END,
        (NEW.state IN ('initiated', 'parts_uploading', 'pending_commit')))
    ON CONFLICT (tenant_id, slot) DO UPDATE SET logical_bytes = logical_bytes + excluded.logical_bytes,
        open_sessions = open_sessions + excluded.open_sessions;
END;
CREATE TRIGGER upload_sessions_usage_delete AFTER DELETE ON upload_sessions FOR EACH ROW
BEGIN
    UPDATE tenant_usage_slots SET
        logical_bytes = logical_bytes - CASE WHEN OLD.state IN ('initiated', 'parts_uploading', 'pending_commit')
            OR (OLD.state = 'committed' AND OLD.committed_blob_digest IS NOT NULL) THEN OLD.expected_length ELSE 0 END,
        open_sessions = open_sessions - (OLD.state IN ('initiated', 'parts_uploading', 'pending_commit'))
    WHERE tenant_id = OLD.tenant_id;
END;
CREATE TRIGGER upload_sessions_usage_update AFTER UPDATE ON upload_sessions FOR EACH ROW
    WHEN NEW.state <> OLD.state OR NEW.committed_blob_digest IS NOT OLD.committed_blob_digest
        OR NEW.expected_length <> OLD.expected_length OR NEW.tenant_id <> OLD.tenant_id
BEGIN
    UPDATE tenant_usage_slots SET
        logical_bytes = logical_bytes - CASE WHEN OLD.state IN ('initiated', 'parts_uploading', 'pending_commit')
            OR (OLD.state = 'committed' AND OLD.committed_blob_digest IS NOT NULL) THEN OLD.expected_length ELSE 0 END,
        open_sessions = open_sessions - (OLD.state IN ('initiated', 'parts_uploading', 'pending_commit'))
    WHERE tenant_id = OLD.tenant_id;
    INSERT INTO tenant_usage_slots (tenant_id, logical_bytes, open_sessions) VALUES (NEW.tenant_id,
        CASE WHEN NEW.state IN ('initiated', 'parts_uploading', 'pending_commit')
            OR (NEW.state = 'committed' AND NEW.committed_blob_digest IS NOT NULL) THEN NEW.expected_length ELSE 0 END,
        (NEW.state IN ('initiated', 'parts_uploading', 'pending_commit')))
    ON CONFLICT (tenant_id, slot) DO UPDATE SET logical_bytes = logical_bytes + excluded.logical_bytes,
        open_sessions = open_sessions + excluded.open_sessions;
END;

-- Whether the row counts towards the quota. False where the bytes came by an upload session, which counts itself; and in rows
-- of scripts.
ALTER TABLE artifact_entries ADD COLUMN is_charged INTEGER NOT NULL DEFAULT 0 CHECK (is_charged IN (0, 1));
ALTER TABLE manifests ADD COLUMN is_charged INTEGER NOT NULL DEFAULT 0 CHECK (is_charged IN (0, 1));

-- What was published without a session: by path, or as a copy. Such a version was created and published at one time.
DROP TRIGGER artifact_entries_guard_update;
UPDATE artifact_entries SET is_charged = 1
WHERE version_id IN (SELECT version_id FROM package_versions WHERE created_at = published_at);
CREATE TRIGGER artifact_entries_guard_update BEFORE UPDATE ON artifact_entries FOR EACH ROW
    WHEN EXISTS (SELECT 1 FROM package_versions WHERE version_id = OLD.version_id AND state <> 'draft')
        OR (NEW.version_id <> OLD.version_id AND EXISTS (SELECT 1 FROM package_versions
            WHERE version_id = NEW.version_id AND state <> 'draft' AND sealing = 'sealed'))
BEGIN
    SELECT RAISE(ABORT, 'AF001 the version has been published: its content stays');
END;
DROP TRIGGER manifests_guard_update;
UPDATE manifests SET is_charged = 1 WHERE blob_digest IS NOT NULL
    AND version_id IN (SELECT version_id FROM package_versions WHERE created_at = published_at);
CREATE TRIGGER manifests_guard_update BEFORE UPDATE ON manifests FOR EACH ROW
    WHEN EXISTS (SELECT 1 FROM package_versions WHERE version_id = OLD.version_id AND state <> 'draft')
        OR (NEW.version_id <> OLD.version_id AND EXISTS (SELECT 1 FROM package_versions
            WHERE version_id = NEW.version_id AND state <> 'draft' AND sealing = 'sealed'))
BEGIN
    SELECT RAISE(ABORT, 'AF001 the version has been published: its content stays');
END;

INSERT INTO tenant_usage_slots (tenant_id, logical_bytes)
SELECT v.tenant_id, SUM(used.bytes)
FROM (
    SELECT version_id, size_bytes AS bytes FROM artifact_entries WHERE is_charged
    UNION ALL
    SELECT m.version_id, b.length_bytes FROM manifests m JOIN blobs b ON b.digest = m.blob_digest WHERE m.is_charged
    UNION ALL
    SELECT a.version_id, b.length_bytes FROM attestations a JOIN blobs b ON b.digest = a.blob_digest
) used JOIN package_versions v ON v.version_id = used.version_id WHERE true GROUP BY v.tenant_id
ON CONFLICT (tenant_id, slot) DO UPDATE SET logical_bytes = logical_bytes + excluded.logical_bytes;

CREATE TRIGGER artifact_entries_usage_insert AFTER INSERT ON artifact_entries FOR EACH ROW
    WHEN NEW.is_charged
BEGIN
    INSERT INTO tenant_usage_slots (tenant_id, logical_bytes)
    SELECT v.tenant_id, NEW.size_bytes FROM package_versions v WHERE NEW.is_charged AND v.version_id = NEW.version_id
    ON CONFLICT (tenant_id, slot) DO UPDATE SET logical_bytes = logical_bytes + excluded.logical_bytes;
END;
CREATE TRIGGER artifact_entries_usage_delete AFTER DELETE ON artifact_entries FOR EACH ROW
    WHEN OLD.is_charged
BEGIN
    INSERT INTO tenant_usage_slots (tenant_id, logical_bytes)
    SELECT v.tenant_id, -OLD.size_bytes FROM package_versions v WHERE OLD.is_charged AND v.version_id = OLD.version_id
    ON CONFLICT (tenant_id, slot) DO UPDATE SET logical_bytes = logical_bytes + excluded.logical_bytes;
END;
CREATE TRIGGER artifact_entries_usage_update AFTER UPDATE ON artifact_entries FOR EACH ROW
    WHEN OLD.is_charged OR NEW.is_charged
BEGIN
    INSERT INTO tenant_usage_slots (tenant_id, logical_bytes)
    SELECT v.tenant_id, -OLD.size_bytes FROM package_versions v WHERE OLD.is_charged AND v.version_id = OLD.version_id
    ON CONFLICT (tenant_id, slot) DO UPDATE SET logical_bytes = logical_bytes + excluded.logical_bytes;
    INSERT INTO tenant_usage_slots (tenant_id, logical_bytes)
    SELECT v.tenant_id, NEW.size_bytes FROM package_versions v WHERE NEW.is_charged AND v.version_id = NEW.version_id
    ON CONFLICT (tenant_id, slot) DO UPDATE SET logical_bytes = logical_bytes + excluded.logical_bytes;
END;

CREATE TRIGGER manifests_usage_insert AFTER INSERT ON manifests FOR EACH ROW
    WHEN NEW.is_charged
BEGIN
    INSERT INTO tenant_usage_slots (tenant_id, logical_bytes)
    SELECT v.tenant_id, b.length_bytes FROM package_versions v, blobs b WHERE NEW.is_charged AND v.version_id = NEW.version_id AND b.digest = NEW.blob_digest
    ON CONFLICT (tenant_id, slot) DO UPDATE SET logical_bytes = logical_bytes + excluded.logical_bytes;
END;
CREATE TRIGGER manifests_usage_delete AFTER DELETE ON manifests FOR EACH ROW
    WHEN OLD.is_charged
BEGIN
    INSERT INTO tenant_usage_slots (tenant_id, logical_bytes)
    SELECT v.tenant_id, -b.length_bytes FROM package_versions v, blobs b WHERE OLD.is_charged AND v.version_id = OLD.version_id AND b.digest = OLD.blob_digest
    ON CONFLICT (tenant_id, slot) DO UPDATE SET logical_bytes = logical_bytes + excluded.logical_bytes;
END;
CREATE TRIGGER manifests_usage_update AFTER UPDATE ON manifests FOR EACH ROW
    WHEN OLD.is_charged OR NEW.is_charged
BEGIN
    INSERT INTO tenant_usage_slots (tenant_id, logical_bytes)
    SELECT v.tenant_id, -b.length_bytes FROM package_versions v, blobs b WHERE OLD.is_charged AND v.version_id = OLD.version_id AND b.digest = OLD.blob_digest
    ON CONFLICT (tenant_id, slot) DO UPDATE SET logical_bytes = logical_bytes + excluded.logical_bytes;
    INSERT INTO tenant_usage_slots (tenant_id, logical_bytes)
    SELECT v.tenant_id, b.length_bytes FROM package_versions v, blobs b WHERE NEW.is_charged AND v.version_id = NEW.version_id AND b.digest = NEW.blob_digest
    ON CONFLICT (tenant_id, slot) DO UPDATE SET logical_bytes = logical_bytes + excluded.logical_bytes;
END;

CREATE TRIGGER attestations_usage_insert AFTER INSERT ON attestations FOR EACH ROW
BEGIN
    INSERT INTO tenant_usage_slots (tenant_id, logical_bytes)
    SELECT v.tenant_id, b.length_bytes FROM package_versions v, blobs b WHERE v.version_id = NEW.version_id AND b.digest = NEW.blob_digest
    ON CONFLICT (tenant_id, slot) DO UPDATE SET logical_bytes = logical_bytes + excluded.logical_bytes;
END;
CREATE TRIGGER attestations_usage_delete AFTER DELETE ON attestations FOR EACH ROW
BEGIN
    INSERT INTO tenant_usage_slots (tenant_id, logical_bytes)
    SELECT v.tenant_id, -b.length_bytes FROM package_versions v, blobs b WHERE v.version_id = OLD.version_id AND b.digest = OLD.blob_digest
    ON CONFLICT (tenant_id, slot) DO UPDATE SET logical_bytes = logical_bytes + excluded.logical_bytes;
END;

-- A version gives back what it was charged before its rows go with it: they no longer find it then.
CREATE TRIGGER package_versions_usage BEFORE DELETE ON package_versions FOR EACH ROW
BEGIN
    UPDATE tenant_usage_slots SET logical_bytes = logical_bytes
        - COALESCE((SELECT SUM(size_bytes) FROM artifact_entries WHERE version_id = OLD.version_id AND is_charged), 0)
        - COALESCE((SELECT SUM(b.length_bytes) FROM manifests m JOIN blobs b ON b.digest = m.blob_digest
            WHERE m.version_id = OLD.version_id AND m.is_charged), 0)
        - COALESCE((SELECT SUM(b.length_bytes) FROM attestations a JOIN blobs b ON b.digest = a.blob_digest
            WHERE a.version_id = OLD.version_id), 0)
    WHERE tenant_id = OLD.tenant_id;
END;
