-- What upload sessions need beside the core. Rules: HTTP contract 3.4, 7.5 and section 9, rows 11, 33 and 38;
-- checksums: architecture, section 7. SQLite's file has the same tables and columns.

-- The store itself knows which parts have arrived.
DROP TABLE upload_parts;

ALTER TABLE upload_sessions ADD COLUMN sealed_length bigint CHECK (sealed_length >= 0);
-- The SHA-256 that was computed while the bytes came through the server in one part; NULL where they went by it.
ALTER TABLE upload_sessions ADD COLUMN sealed_digest text COLLATE "C";

-- The earliest commit of a digest in a repository is one step in this index.
DROP INDEX upload_sessions_committed;
CREATE INDEX upload_sessions_committed ON upload_sessions (repo_id, committed_blob_digest, committed_at)
    WHERE state = 'committed';

-- What a tenant's sessions use: kept by triggers, so that admission reads one row, and a transaction that adds to it waits for
-- the one before it.
CREATE TABLE tenant_usage (
    tenant_id uuid PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
    logical_bytes bigint NOT NULL DEFAULT 0,
    open_sessions bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

CREATE FUNCTION upload_session_bytes(state text, digest text, length bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN state IN ('initiated', 'parts_uploading', 'pending_commit')
        OR (state = 'committed' AND digest IS NOT NULL) THEN length ELSE 0 END
$$;

CREATE FUNCTION upload_session_open(state text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN state IN ('initiated', 'parts_uploading', 'pending_commit') THEN 1 ELSE 0 END
$$;

CREATE FUNCTION add_tenant_usage(tenant uuid, bytes bigint, sessions bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO tenant_usage (tenant_id, logical_bytes, open_sessions) VALUES (tenant, bytes, sessions)
    ON CONFLICT (tenant_id) DO UPDATE SET logical_bytes = tenant_usage.logical_bytes + excluded.logical_bytes,
        open_sessions = tenant_usage.open_sessions + excluded.open_sessions
$$;

-- By statement: a repository that is deleted takes its sessions with it in one.
CREATE FUNCTION count_new_upload_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM add_tenant_usage(tenant_id, sum(upload_session_bytes(state, committed_blob_digest, expected_length))::bigint,
        sum(upload_session_open(state))::bigint)
    FROM new_rows GROUP BY tenant_id ORDER BY tenant_id;
    RETURN NULL;
END;
$$;

CREATE FUNCTION count_gone_upload_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tenant_usage u SET logical_bytes = u.logical_bytes - g.bytes, open_sessions = u.open_sessions - g.sessions
    FROM (SELECT tenant_id, sum(upload_session_bytes(state, committed_blob_digest, expected_length))::bigint AS bytes,
            sum(upload_session_open(state))::bigint AS sessions
        FROM old_rows GROUP BY tenant_id) g
    WHERE u.tenant_id = g.tenant_id AND (g.bytes <> 0 OR g.sessions <> 0);
    RETURN NULL;
END;
$$;

CREATE FUNCTION count_changed_upload_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM add_tenant_usage(tenant_id, sum(bytes)::bigint, sum(sessions)::bigint)
    FROM (SELECT tenant_id, upload_session_bytes(state, committed_blob_digest, expected_length) AS bytes,
            upload_session_open(state) AS sessions FROM new_rows
        UNION ALL
        SELECT tenant_id, -upload_session_bytes(state, committed_blob_digest, expected_length),
            -upload_session_open(state) FROM old_rows) change
    GROUP BY tenant_id HAVING sum(bytes) <> 0 OR sum(sessions) <> 0 ORDER BY tenant_id;
    RETURN NULL;
END;
$$;

CREATE TRIGGER upload_sessions_usage_insert AFTER INSERT ON upload_sessions
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_new_upload_sessions();
CREATE TRIGGER upload_sessions_usage_delete AFTER DELETE ON upload_sessions
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_gone_upload_sessions();
CREATE TRIGGER upload_sessions_usage_update AFTER UPDATE ON upload_sessions
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_changed_upload_sessions();

INSERT INTO tenant_usage (tenant_id, logical_bytes, open_sessions)
SELECT tenant_id, sum(upload_session_bytes(state, committed_blob_digest, expected_length))::bigint,
    sum(upload_session_open(state))::bigint
FROM upload_sessions GROUP BY tenant_id;

-- An object that is to be deleted may still be an upload in parts.
ALTER TABLE dead_objects ADD COLUMN storage_upload_id text;

-- What a session was uploading goes with it, however it goes.
CREATE FUNCTION free_gone_upload_sessions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH gone AS (
        DELETE FROM staged_objects s USING old_rows o WHERE s.upload_id = o.upload_id
        RETURNING s.storage_key, s.storage_upload_id
    )
    INSERT INTO dead_objects (storage_key, reason, storage_upload_id)
    SELECT storage_key, 'session deleted', storage_upload_id FROM gone ON CONFLICT (storage_key) DO NOTHING;
    RETURN NULL;
END;
$$;
CREATE TRIGGER upload_sessions_free AFTER DELETE ON upload_sessions
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION free_gone_upload_sessions();

-- Blobs of which a format wants further checksums: computed off the answer's path.
CREATE TABLE checksum_queue (
    digest text COLLATE "C" PRIMARY KEY REFERENCES blobs ON DELETE CASCADE,
    queued_at timestamptz NOT NULL DEFAULT now(),
    attempts bigint NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX checksum_queue_due ON checksum_queue (next_attempt_at, digest);
