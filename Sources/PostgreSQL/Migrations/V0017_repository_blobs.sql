-- Which blobs each repository shows, counted by the database itself: a read by digest and the check of a deduplicated upload
-- look at one row, whatever the number of references. SQLite's file has the same table.

-- One row for each digest and repository.
CREATE TABLE repository_blobs (
    digest text COLLATE "C" NOT NULL,
    repo_id uuid NOT NULL REFERENCES repos ON DELETE CASCADE,
    -- The repository's.
    tenant_id uuid NOT NULL,
    -- Committed upload sessions.
    sessions bigint NOT NULL DEFAULT 0,
    -- Entries and manifests of versions that are not drafts.
    shown bigint NOT NULL DEFAULT 0,
    -- Entries and manifests of versions that are in quarantine, or were rejected.
    withheld bigint NOT NULL DEFAULT 0,
    -- When the first of `shown` was published.
    shown_since timestamptz,
    -- Whether a reader of the repository may read the digest: it is shown and not withheld. A column of its own, so
    -- that counting changes no index.
    readable boolean NOT NULL DEFAULT false,
    PRIMARY KEY (digest, repo_id)
) WITH (fillfactor = 80);
CREATE INDEX repository_blobs_repo ON repository_blobs (repo_id);
CREATE INDEX repository_blobs_readable ON repository_blobs (digest, tenant_id, readable);
-- Repositories that can be read without a token.
CREATE INDEX repos_anonymous ON repos (tenant_id, repo_id) WHERE settings ->> 'anonymousRead' = 'true';

CREATE FUNCTION note_readable_blob() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.readable := NEW.sessions + NEW.shown > 0 AND NEW.withheld = 0;
    RETURN NEW;
END $$;
CREATE TRIGGER repository_blobs_readable BEFORE INSERT OR UPDATE ON repository_blobs
    FOR EACH ROW EXECUTE FUNCTION note_readable_blob();

INSERT INTO repository_blobs (digest, repo_id, tenant_id, sessions, shown, withheld, shown_since)
SELECT u.digest, r.repo_id, r.tenant_id, sum(u.sessions), sum(u.shown), sum(u.withheld), min(u.since)
FROM (
    SELECT committed_blob_digest AS digest, repo_id, 1 AS sessions, 0 AS shown, 0 AS withheld, NULL::timestamptz AS since
    FROM upload_sessions WHERE state = 'committed' AND committed_blob_digest IS NOT NULL
    UNION ALL
    SELECT c.blob_digest, v.repo_id, 0, (v.state <> 'draft')::int, COALESCE(q.status <> 'released', false)::int,
        CASE WHEN v.state <> 'draft' THEN COALESCE(v.published_at, v.created_at) END
    FROM (SELECT version_id, blob_digest FROM artifact_entries
        UNION ALL SELECT version_id, blob_digest FROM manifests WHERE blob_digest IS NOT NULL) c
    JOIN package_versions v ON v.version_id = c.version_id
    LEFT JOIN quarantine_items q ON q.version_id = c.version_id
    WHERE v.state <> 'draft' OR q.status <> 'released'
) u JOIN repos r ON r.repo_id = u.repo_id
GROUP BY u.digest, r.repo_id, r.tenant_id;

CREATE FUNCTION forget_repository_blobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM repository_blobs WHERE digest = OLD.digest;
    RETURN NULL;
END $$;
CREATE TRIGGER blobs_forget AFTER DELETE ON blobs FOR EACH ROW EXECUTE FUNCTION forget_repository_blobs();

-- By statement, and in the order of the digests: many rows of one digest are one change, and transactions that count the
-- same digests wait for each other without a deadlock.

-- Sessions.

CREATE FUNCTION count_new_session_blobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO repository_blobs AS b (digest, repo_id, tenant_id, sessions)
    SELECT c.committed_blob_digest, r.repo_id, r.tenant_id, sum(c.step)
    FROM (SELECT repo_id, state, committed_blob_digest, 1 AS step FROM new_rows) c
    JOIN repos r ON r.repo_id = c.repo_id
    WHERE c.state = 'committed' AND c.committed_blob_digest IS NOT NULL
    GROUP BY c.committed_blob_digest, r.repo_id, r.tenant_id HAVING sum(c.step) <> 0
    ORDER BY c.committed_blob_digest, r.repo_id
    ON CONFLICT (digest, repo_id) DO UPDATE SET sessions = b.sessions + excluded.sessions;
    RETURN NULL;
END $$;
CREATE FUNCTION count_gone_session_blobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO repository_blobs AS b (digest, repo_id, tenant_id, sessions)
    SELECT c.committed_blob_digest, r.repo_id, r.tenant_id, sum(c.step)
    FROM (SELECT repo_id, state, committed_blob_digest, -1 AS step FROM old_rows) c
    JOIN repos r ON r.repo_id = c.repo_id
    WHERE c.state = 'committed' AND c.committed_blob_digest IS NOT NULL
    GROUP BY c.committed_blob_digest, r.repo_id, r.tenant_id HAVING sum(c.step) <> 0
    ORDER BY c.committed_blob_digest, r.repo_id
    ON CONFLICT (digest, repo_id) DO UPDATE SET sessions = b.sessions + excluded.sessions;
    RETURN NULL;
END $$;
CREATE FUNCTION count_changed_session_blobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO repository_blobs AS b (digest, repo_id, tenant_id, sessions)
    SELECT c.committed_blob_digest, r.repo_id, r.tenant_id, sum(c.step)
    FROM (SELECT repo_id, state, committed_blob_digest, 1 AS step FROM new_rows
        UNION ALL SELECT repo_id, state, committed_blob_digest, -1 AS step FROM old_rows) c
    JOIN repos r ON r.repo_id = c.repo_id
    WHERE c.state = 'committed' AND c.committed_blob_digest IS NOT NULL
    GROUP BY c.committed_blob_digest, r.repo_id, r.tenant_id HAVING sum(c.step) <> 0
    ORDER BY c.committed_blob_digest, r.repo_id
    ON CONFLICT (digest, repo_id) DO UPDATE SET sessions = b.sessions + excluded.sessions;
    RETURN NULL;
END $$;
CREATE TRIGGER upload_sessions_blob_insert AFTER INSERT ON upload_sessions
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_new_session_blobs();
CREATE TRIGGER upload_sessions_blob_update AFTER UPDATE ON upload_sessions
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_changed_session_blobs();
CREATE TRIGGER upload_sessions_blob_delete AFTER DELETE ON upload_sessions
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_gone_session_blobs();

-- Entries and manifests: those of ordinary drafts count for nothing. The guards have locked the version's row, so its state
-- and its quarantine stay as they are read here. The rows of a version that is being deleted were taken off before
-- (package_versions_blob_delete), and then find no version.

CREATE FUNCTION count_new_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO repository_blobs AS b (digest, repo_id, tenant_id, shown, withheld, shown_since)
    SELECT c.blob_digest, r.repo_id, r.tenant_id, count(*) FILTER (WHERE v.state <> 'draft'),
        count(*) FILTER (WHERE q.status <> 'released'),
        min(COALESCE(v.published_at, v.created_at)) FILTER (WHERE v.state <> 'draft')
    FROM new_rows c JOIN package_versions v ON v.version_id = c.version_id JOIN repos r ON r.repo_id = v.repo_id
    LEFT JOIN quarantine_items q ON q.version_id = v.version_id
    WHERE c.blob_digest IS NOT NULL AND (v.state <> 'draft' OR q.status <> 'released')
    GROUP BY c.blob_digest, r.repo_id, r.tenant_id ORDER BY c.blob_digest, r.repo_id
    ON CONFLICT (digest, repo_id) DO UPDATE SET
        shown_since = CASE WHEN b.shown = 0 THEN excluded.shown_since ELSE b.shown_since END,
        shown = b.shown + excluded.shown, withheld = b.withheld + excluded.withheld;
    RETURN NULL;
END $$;
CREATE FUNCTION count_gone_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO repository_blobs AS b (digest, repo_id, tenant_id, shown, withheld, shown_since)
    SELECT c.blob_digest, r.repo_id, r.tenant_id, -count(*) FILTER (WHERE v.state <> 'draft'),
        -count(*) FILTER (WHERE q.status <> 'released'),
        min(COALESCE(v.published_at, v.created_at)) FILTER (WHERE v.state <> 'draft')
    FROM old_rows c JOIN package_versions v ON v.version_id = c.version_id JOIN repos r ON r.repo_id = v.repo_id
    LEFT JOIN quarantine_items q ON q.version_id = v.version_id
    WHERE c.blob_digest IS NOT NULL AND (v.state <> 'draft' OR q.status <> 'released')
    GROUP BY c.blob_digest, r.repo_id, r.tenant_id ORDER BY c.blob_digest, r.repo_id
    ON CONFLICT (digest, repo_id) DO UPDATE SET
        shown_since = CASE WHEN b.shown = 0 THEN excluded.shown_since ELSE b.shown_since END,
        shown = b.shown + excluded.shown, withheld = b.withheld + excluded.withheld;
    RETURN NULL;
END $$;
CREATE FUNCTION count_changed_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO repository_blobs AS b (digest, repo_id, tenant_id, shown, withheld, shown_since)
    SELECT c.blob_digest, r.repo_id, r.tenant_id, -count(*) FILTER (WHERE v.state <> 'draft'),
        -count(*) FILTER (WHERE q.status <> 'released'),
        min(COALESCE(v.published_at, v.created_at)) FILTER (WHERE v.state <> 'draft')
    FROM old_rows c JOIN package_versions v ON v.version_id = c.version_id JOIN repos r ON r.repo_id = v.repo_id
    LEFT JOIN quarantine_items q ON q.version_id = v.version_id
    WHERE c.blob_digest IS NOT NULL AND (v.state <> 'draft' OR q.status <> 'released')
    GROUP BY c.blob_digest, r.repo_id, r.tenant_id ORDER BY c.blob_digest, r.repo_id
    ON CONFLICT (digest, repo_id) DO UPDATE SET
        shown_since = CASE WHEN b.shown = 0 THEN excluded.shown_since ELSE b.shown_since END,
        shown = b.shown + excluded.shown, withheld = b.withheld + excluded.withheld;
    INSERT INTO repository_blobs AS b (digest, repo_id, tenant_id, shown, withheld, shown_since)
    SELECT c.blob_digest, r.repo_id, r.tenant_id, count(*) FILTER (WHERE v.state <> 'draft'),
        count(*) FILTER (WHERE q.status <> 'released'),
        min(COALESCE(v.published_at, v.created_at)) FILTER (WHERE v.state <> 'draft')
    FROM new_rows c JOIN package_versions v ON v.version_id = c.version_id JOIN repos r ON r.repo_id = v.repo_id
    LEFT JOIN quarantine_items q ON q.version_id = v.version_id
    WHERE c.blob_digest IS NOT NULL AND (v.state <> 'draft' OR q.status <> 'released')
    GROUP BY c.blob_digest, r.repo_id, r.tenant_id ORDER BY c.blob_digest, r.repo_id
    ON CONFLICT (digest, repo_id) DO UPDATE SET
        shown_since = CASE WHEN b.shown = 0 THEN excluded.shown_since ELSE b.shown_since END,
        shown = b.shown + excluded.shown, withheld = b.withheld + excluded.withheld;
    RETURN NULL;
END $$;
CREATE TRIGGER artifact_entries_blob_insert AFTER INSERT ON artifact_entries
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_new_content();
CREATE TRIGGER artifact_entries_blob_update AFTER UPDATE ON artifact_entries
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_changed_content();
CREATE TRIGGER artifact_entries_blob_delete AFTER DELETE ON artifact_entries
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_gone_content();
CREATE TRIGGER manifests_blob_insert AFTER INSERT ON manifests
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_new_content();
CREATE TRIGGER manifests_blob_update AFTER UPDATE ON manifests
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_changed_content();
CREATE TRIGGER manifests_blob_delete AFTER DELETE ON manifests
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_gone_content();

-- Versions and their quarantine.

CREATE FUNCTION count_changed_versions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO repository_blobs AS b (digest, repo_id, tenant_id, shown, withheld, shown_since)
    SELECT c.blob_digest, r.repo_id, r.tenant_id, sum(x.shown), sum(x.withheld), min(x.since)
    FROM (
        SELECT n.version_id, CASE WHEN n.state = 'draft' THEN -1 ELSE 1 END AS shown, 0 AS withheld,
            COALESCE(n.published_at, n.created_at) AS since
        FROM new_rows n JOIN old_rows o ON o.version_id = n.version_id
        WHERE (n.state = 'draft') <> (o.state = 'draft')) x
    JOIN package_versions v ON v.version_id = x.version_id JOIN repos r ON r.repo_id = v.repo_id
    CROSS JOIN LATERAL (SELECT blob_digest FROM artifact_entries e WHERE e.version_id = x.version_id
        UNION ALL SELECT blob_digest FROM manifests m WHERE m.version_id = x.version_id AND blob_digest IS NOT NULL) c
    GROUP BY c.blob_digest, r.repo_id, r.tenant_id HAVING sum(x.shown) <> 0 OR sum(x.withheld) <> 0
    ORDER BY c.blob_digest, r.repo_id
    ON CONFLICT (digest, repo_id) DO UPDATE SET
        shown_since = CASE WHEN b.shown = 0 THEN excluded.shown_since ELSE b.shown_since END,
        shown = b.shown + excluded.shown, withheld = b.withheld + excluded.withheld;
    RETURN NULL;
END $$;
CREATE TRIGGER package_versions_blob_update AFTER UPDATE ON package_versions
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_changed_versions();

CREATE FUNCTION count_gone_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO repository_blobs AS b (digest, repo_id, tenant_id, shown, withheld, shown_since)
    SELECT c.blob_digest, r.repo_id, r.tenant_id, sum(x.shown), sum(x.withheld), min(x.since)
    FROM (
        SELECT OLD.version_id, CASE WHEN OLD.state = 'draft' THEN 0 ELSE -1 END AS shown,
            CASE WHEN EXISTS (SELECT 1 FROM quarantine_items q
                WHERE q.version_id = OLD.version_id AND q.status <> 'released') THEN -1 ELSE 0 END AS withheld,
            NULL::timestamptz AS since) x
    JOIN repos r ON r.repo_id = OLD.repo_id
    CROSS JOIN LATERAL (SELECT blob_digest FROM artifact_entries e WHERE e.version_id = x.version_id
        UNION ALL SELECT blob_digest FROM manifests m WHERE m.version_id = x.version_id AND blob_digest IS NOT NULL) c
    GROUP BY c.blob_digest, r.repo_id, r.tenant_id HAVING sum(x.shown) <> 0 OR sum(x.withheld) <> 0
    ORDER BY c.blob_digest, r.repo_id
    ON CONFLICT (digest, repo_id) DO UPDATE SET
        shown_since = CASE WHEN b.shown = 0 THEN excluded.shown_since ELSE b.shown_since END,
        shown = b.shown + excluded.shown, withheld = b.withheld + excluded.withheld;
    RETURN OLD;
END $$;
CREATE TRIGGER package_versions_blob_delete BEFORE DELETE ON package_versions FOR EACH ROW
    EXECUTE FUNCTION count_gone_version();

-- The versions' rows are locked: their content stays as it is counted.
CREATE FUNCTION count_new_quarantine() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM package_versions WHERE version_id IN (SELECT x.version_id FROM (SELECT version_id, 0 AS shown, 1 AS withheld, NULL::timestamptz AS since
        FROM new_rows WHERE status <> 'released') x)
    ORDER BY version_id FOR NO KEY UPDATE;
    INSERT INTO repository_blobs AS b (digest, repo_id, tenant_id, shown, withheld, shown_since)
    SELECT c.blob_digest, r.repo_id, r.tenant_id, sum(x.shown), sum(x.withheld), min(x.since)
    FROM (SELECT version_id, 0 AS shown, 1 AS withheld, NULL::timestamptz AS since
        FROM new_rows WHERE status <> 'released') x
    JOIN package_versions v ON v.version_id = x.version_id JOIN repos r ON r.repo_id = v.repo_id
    CROSS JOIN LATERAL (SELECT blob_digest FROM artifact_entries e WHERE e.version_id = x.version_id
        UNION ALL SELECT blob_digest FROM manifests m WHERE m.version_id = x.version_id AND blob_digest IS NOT NULL) c
    GROUP BY c.blob_digest, r.repo_id, r.tenant_id HAVING sum(x.shown) <> 0 OR sum(x.withheld) <> 0
    ORDER BY c.blob_digest, r.repo_id
    ON CONFLICT (digest, repo_id) DO UPDATE SET
        shown_since = CASE WHEN b.shown = 0 THEN excluded.shown_since ELSE b.shown_since END,
        shown = b.shown + excluded.shown, withheld = b.withheld + excluded.withheld;
    RETURN NULL;
END $$;
CREATE FUNCTION count_gone_quarantine() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM package_versions WHERE version_id IN (SELECT x.version_id FROM (SELECT version_id, 0 AS shown, -1 AS withheld, NULL::timestamptz AS since
        FROM old_rows WHERE status <> 'released') x)
    ORDER BY version_id FOR NO KEY UPDATE;
    INSERT INTO repository_blobs AS b (digest, repo_id, tenant_id, shown, withheld, shown_since)
    SELECT c.blob_digest, r.repo_id, r.tenant_id, sum(x.shown), sum(x.withheld), min(x.since)
    FROM (SELECT version_id, 0 AS shown, -1 AS withheld, NULL::timestamptz AS since
        FROM old_rows WHERE status <> 'released') x
    JOIN package_versions v ON v.version_id = x.version_id JOIN repos r ON r.repo_id = v.repo_id
    CROSS JOIN LATERAL (SELECT blob_digest FROM artifact_entries e WHERE e.version_id = x.version_id
        UNION ALL SELECT blob_digest FROM manifests m WHERE m.version_id = x.version_id AND blob_digest IS NOT NULL) c
    GROUP BY c.blob_digest, r.repo_id, r.tenant_id HAVING sum(x.shown) <> 0 OR sum(x.withheld) <> 0
    ORDER BY c.blob_digest, r.repo_id
    ON CONFLICT (digest, repo_id) DO UPDATE SET
        shown_since = CASE WHEN b.shown = 0 THEN excluded.shown_since ELSE b.shown_since END,
        shown = b.shown + excluded.shown, withheld = b.withheld + excluded.withheld;
    RETURN NULL;
END $$;
CREATE FUNCTION count_changed_quarantine() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM package_versions WHERE version_id IN (SELECT x.version_id FROM (SELECT n.version_id, 0 AS shown, CASE WHEN n.status = 'released' THEN -1 ELSE 1 END AS withheld, NULL::timestamptz AS since
        FROM new_rows n JOIN old_rows o ON o.quarantine_id = n.quarantine_id
        WHERE (n.status = 'released') <> (o.status = 'released')) x)
    ORDER BY version_id FOR NO KEY UPDATE;
    INSERT INTO repository_blobs AS b (digest, repo_id, tenant_id, shown, withheld, shown_since)
    SELECT c.blob_digest, r.repo_id, r.tenant_id, sum(x.shown), sum(x.withheld), min(x.since)
    FROM (SELECT n.version_id, 0 AS shown, CASE WHEN n.status = 'released' THEN -1 ELSE 1 END AS withheld, NULL::timestamptz AS since
        FROM new_rows n JOIN old_rows o ON o.quarantine_id = n.quarantine_id
        WHERE (n.status = 'released') <> (o.status = 'released')) x
    JOIN package_versions v ON v.version_id = x.version_id JOIN repos r ON r.repo_id = v.repo_id
    CROSS JOIN LATERAL (SELECT blob_digest FROM artifact_entries e WHERE e.version_id = x.version_id
        UNION ALL SELECT blob_digest FROM manifests m WHERE m.version_id = x.version_id AND blob_digest IS NOT NULL) c
    GROUP BY c.blob_digest, r.repo_id, r.tenant_id HAVING sum(x.shown) <> 0 OR sum(x.withheld) <> 0
    ORDER BY c.blob_digest, r.repo_id
    ON CONFLICT (digest, repo_id) DO UPDATE SET
        shown_since = CASE WHEN b.shown = 0 THEN excluded.shown_since ELSE b.shown_since END,
        shown = b.shown + excluded.shown, withheld = b.withheld + excluded.withheld;
    RETURN NULL;
END $$;
CREATE TRIGGER quarantine_items_blob_insert AFTER INSERT ON quarantine_items
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_new_quarantine();
CREATE TRIGGER quarantine_items_blob_update AFTER UPDATE ON quarantine_items
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_changed_quarantine();
CREATE TRIGGER quarantine_items_blob_delete AFTER DELETE ON quarantine_items
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_gone_quarantine();
