-- Which blobs each repository shows, counted by the database itself: a read by digest and the check of a deduplicated upload
-- look at one row, whatever the number of references. PostgreSQL's file has the same table.

-- One row for each digest and repository.
CREATE TABLE repository_blobs (
    digest TEXT NOT NULL,
    repo_id BLOB NOT NULL REFERENCES repos ON DELETE CASCADE,
    -- The repository's.
    tenant_id BLOB NOT NULL,
    -- Committed upload sessions.
    sessions INTEGER NOT NULL DEFAULT 0,
    -- Entries and manifests of versions that are not drafts.
    shown INTEGER NOT NULL DEFAULT 0,
    -- Entries and manifests of versions that are in quarantine, or were rejected.
    withheld INTEGER NOT NULL DEFAULT 0,
    -- When the first of `shown` was published.
    shown_since INTEGER,
    -- Whether a reader of the repository may read the digest: it is shown and not withheld.
    readable INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (digest, repo_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX repository_blobs_repo ON repository_blobs (repo_id);
CREATE INDEX repository_blobs_readable ON repository_blobs (digest, tenant_id, readable);
-- Repositories that can be read without a token.
CREATE INDEX repos_anonymous ON repos (tenant_id, repo_id) WHERE settings ->> 'anonymousRead' = 1;

CREATE TRIGGER repository_blobs_readable_insert AFTER INSERT ON repository_blobs FOR EACH ROW
    WHEN NEW.readable <> (NEW.sessions + NEW.shown > 0 AND NEW.withheld = 0)
BEGIN
    UPDATE repository_blobs SET readable = (sessions + shown > 0 AND withheld = 0)
    WHERE digest = NEW.digest AND repo_id = NEW.repo_id;
END;
CREATE TRIGGER repository_blobs_readable_update AFTER UPDATE OF sessions, shown, withheld ON repository_blobs FOR EACH ROW
    WHEN NEW.readable <> (NEW.sessions + NEW.shown > 0 AND NEW.withheld = 0)
BEGIN
    UPDATE repository_blobs SET readable = (sessions + shown > 0 AND withheld = 0)
    WHERE digest = NEW.digest AND repo_id = NEW.repo_id;
END;

INSERT INTO repository_blobs (digest, repo_id, tenant_id, sessions, shown, withheld, shown_since)
SELECT u.digest, r.repo_id, r.tenant_id, sum(u.sessions), sum(u.shown), sum(u.withheld), min(u.since)
FROM (
    SELECT committed_blob_digest AS digest, repo_id, 1 AS sessions, 0 AS shown, 0 AS withheld, NULL AS since
    FROM upload_sessions WHERE state = 'committed' AND committed_blob_digest IS NOT NULL
    UNION ALL
    SELECT c.blob_digest, v.repo_id, 0, v.state <> 'draft', COALESCE(q.status <> 'released', 0),
        CASE WHEN v.state <> 'draft' THEN COALESCE(v.published_at, v.created_at) END
    FROM (SELECT version_id, blob_digest FROM artifact_entries
        UNION ALL SELECT version_id, blob_digest FROM manifests WHERE blob_digest IS NOT NULL) c
    JOIN package_versions v ON v.version_id = c.version_id
    LEFT JOIN quarantine_items q ON q.version_id = c.version_id
    WHERE v.state <> 'draft' OR q.status <> 'released'
) u JOIN repos r ON r.repo_id = u.repo_id
GROUP BY u.digest, r.repo_id, r.tenant_id;

CREATE TRIGGER blobs_forget AFTER DELETE ON blobs FOR EACH ROW
BEGIN
    DELETE FROM repository_blobs WHERE digest = OLD.digest;
END;

-- Sessions.

CREATE TRIGGER upload_sessions_blob_insert AFTER INSERT ON upload_sessions FOR EACH ROW
    WHEN NEW.state = 'committed' AND NEW.committed_blob_digest IS NOT NULL
BEGIN
    INSERT INTO repository_blobs (digest, repo_id, tenant_id, sessions)
    SELECT NEW.committed_blob_digest, repo_id, tenant_id, 1 FROM repos WHERE repo_id = NEW.repo_id
    ON CONFLICT (digest, repo_id) DO UPDATE SET sessions = sessions + 1;
END;
CREATE TRIGGER upload_sessions_blob_gain AFTER UPDATE OF state, committed_blob_digest, repo_id ON upload_sessions FOR EACH ROW
    WHEN NEW.state = 'committed' AND NEW.committed_blob_digest IS NOT NULL
        AND (OLD.state <> NEW.state OR OLD.committed_blob_digest IS NOT NEW.committed_blob_digest OR OLD.repo_id <> NEW.repo_id)
BEGIN
    INSERT INTO repository_blobs (digest, repo_id, tenant_id, sessions)
    SELECT NEW.committed_blob_digest, repo_id, tenant_id, 1 FROM repos WHERE repo_id = NEW.repo_id
    ON CONFLICT (digest, repo_id) DO UPDATE SET sessions = sessions + 1;
END;
CREATE TRIGGER upload_sessions_blob_loss AFTER UPDATE OF state, committed_blob_digest, repo_id ON upload_sessions FOR EACH ROW
    WHEN OLD.state = 'committed' AND OLD.committed_blob_digest IS NOT NULL
        AND (OLD.state <> NEW.state OR OLD.committed_blob_digest IS NOT NEW.committed_blob_digest OR OLD.repo_id <> NEW.repo_id)
BEGIN
    UPDATE repository_blobs SET sessions = sessions - 1
    WHERE digest = OLD.committed_blob_digest AND repo_id = OLD.repo_id;
END;
CREATE TRIGGER upload_sessions_blob_delete AFTER DELETE ON upload_sessions FOR EACH ROW
    WHEN OLD.state = 'committed' AND OLD.committed_blob_digest IS NOT NULL
BEGIN
    UPDATE repository_blobs SET sessions = sessions - 1
    WHERE digest = OLD.committed_blob_digest AND repo_id = OLD.repo_id;
END;

-- Entries and manifests: those of ordinary drafts count for nothing. The rows of a version that is being deleted were taken
-- off before (package_versions_blob_delete), and then find no version.

CREATE TRIGGER artifact_entries_blob_insert AFTER INSERT ON artifact_entries FOR EACH ROW
BEGIN
    INSERT INTO repository_blobs (digest, repo_id, tenant_id, shown, withheld, shown_since)
    SELECT NEW.blob_digest, r.repo_id, r.tenant_id, v.state <> 'draft', COALESCE(q.status <> 'released', 0),
        CASE WHEN v.state <> 'draft' THEN COALESCE(v.published_at, v.created_at) END
    FROM package_versions v JOIN repos r ON r.repo_id = v.repo_id
    LEFT JOIN quarantine_items q ON q.version_id = v.version_id
    WHERE v.version_id = NEW.version_id AND (v.state <> 'draft' OR q.status <> 'released')
    ON CONFLICT (digest, repo_id) DO UPDATE SET
        shown_since = CASE WHEN shown = 0 THEN excluded.shown_since ELSE shown_since END,
        shown = shown + excluded.shown, withheld = withheld + excluded.withheld;
END;
CREATE TRIGGER artifact_entries_blob_gain AFTER UPDATE OF blob_digest, version_id ON artifact_entries FOR EACH ROW
    WHEN NEW.blob_digest IS NOT NULL AND (OLD.blob_digest IS NOT NEW.blob_digest OR OLD.version_id <> NEW.version_id)
BEGIN
    INSERT INTO repository_blobs (digest, repo_id, tenant_id, shown, withheld, shown_since)
    SELECT NEW.blob_digest, r.repo_id, r.tenant_id, v.state <> 'draft', COALESCE(q.status <> 'released', 0),
        CASE WHEN v.state <> 'draft' THEN COALESCE(v.published_at, v.created_at) END
    FROM package_versions v JOIN repos r ON r.repo_id = v.repo_id
    LEFT JOIN quarantine_items q ON q.version_id = v.version_id
    WHERE v.version_id = NEW.version_id AND (v.state <> 'draft' OR q.status <> 'released')
    ON CONFLICT (digest, repo_id) DO UPDATE SET
        shown_since = CASE WHEN shown = 0 THEN excluded.shown_since ELSE shown_since END,
        shown = shown + excluded.shown, withheld = withheld + excluded.withheld;
END;
CREATE TRIGGER artifact_entries_blob_loss AFTER UPDATE OF blob_digest, version_id ON artifact_entries FOR EACH ROW
    WHEN OLD.blob_digest IS NOT NULL AND (OLD.blob_digest IS NOT NEW.blob_digest OR OLD.version_id <> NEW.version_id)
BEGIN
    UPDATE repository_blobs SET shown = shown - (v.state <> 'draft'),
        withheld = withheld - COALESCE(q.status <> 'released', 0)
    FROM package_versions v LEFT JOIN quarantine_items q ON q.version_id = v.version_id
    WHERE v.version_id = OLD.version_id AND (v.state <> 'draft' OR q.status <> 'released')
        AND repository_blobs.digest = OLD.blob_digest AND repository_blobs.repo_id = v.repo_id;
END;
CREATE TRIGGER artifact_entries_blob_delete AFTER DELETE ON artifact_entries FOR EACH ROW
BEGIN
    UPDATE repository_blobs SET shown = shown - (v.state <> 'draft'),
        withheld = withheld - COALESCE(q.status <> 'released', 0)
    FROM package_versions v LEFT JOIN quarantine_items q ON q.version_id = v.version_id
    WHERE v.version_id = OLD.version_id AND (v.state <> 'draft' OR q.status <> 'released')
        AND repository_blobs.digest = OLD.blob_digest AND repository_blobs.repo_id = v.repo_id;
END;
CREATE TRIGGER manifests_blob_insert AFTER INSERT ON manifests FOR EACH ROW
    WHEN NEW.blob_digest IS NOT NULL
BEGIN
    INSERT INTO repository_blobs (digest, repo_id, tenant_id, shown, withheld, shown_since)
    SELECT NEW.blob_digest, r.repo_id, r.tenant_id, v.state <> 'draft', COALESCE(q.status <> 'released', 0),
        CASE WHEN v.state <> 'draft' THEN COALESCE(v.published_at, v.created_at) END
    FROM package_versions v JOIN repos r ON r.repo_id = v.repo_id
    LEFT JOIN quarantine_items q ON q.version_id = v.version_id
    WHERE v.version_id = NEW.version_id AND (v.state <> 'draft' OR q.status <> 'released')
    ON CONFLICT (digest, repo_id) DO UPDATE SET
        shown_since = CASE WHEN shown = 0 THEN excluded.shown_since ELSE shown_since END,
        shown = shown + excluded.shown, withheld = withheld + excluded.withheld;
END;
CREATE TRIGGER manifests_blob_gain AFTER UPDATE OF blob_digest, version_id ON manifests FOR EACH ROW
    WHEN NEW.blob_digest IS NOT NULL AND (OLD.blob_digest IS NOT NEW.blob_digest OR OLD.version_id <> NEW.version_id)
BEGIN
    INSERT INTO repository_blobs (digest, repo_id, tenant_id, shown, withheld, shown_since)
    SELECT NEW.blob_digest, r.repo_id, r.tenant_id, v.state <> 'draft', COALESCE(q.status <> 'released', 0),
        CASE WHEN v.state <> 'draft' THEN COALESCE(v.published_at, v.created_at) END
    FROM package_versions v JOIN repos r ON r.repo_id = v.repo_id
    LEFT JOIN quarantine_items q ON q.version_id = v.version_id
    WHERE v.version_id = NEW.version_id AND (v.state <> 'draft' OR q.status <> 'released')
    ON CONFLICT (digest, repo_id) DO UPDATE SET
        shown_since = CASE WHEN shown = 0 THEN excluded.shown_since ELSE shown_since END,
        shown = shown + excluded.shown, withheld = withheld + excluded.withheld;
END;
CREATE TRIGGER manifests_blob_loss AFTER UPDATE OF blob_digest, version_id ON manifests FOR EACH ROW
    WHEN OLD.blob_digest IS NOT NULL AND (OLD.blob_digest IS NOT NEW.blob_digest OR OLD.version_id <> NEW.version_id)
BEGIN
    UPDATE repository_blobs SET shown = shown - (v.state <> 'draft'),
        withheld = withheld - COALESCE(q.status <> 'released', 0)
    FROM package_versions v LEFT JOIN quarantine_items q ON q.version_id = v.version_id
    WHERE v.version_id = OLD.version_id AND (v.state <> 'draft' OR q.status <> 'released')
        AND repository_blobs.digest = OLD.blob_digest AND repository_blobs.repo_id = v.repo_id;
END;
CREATE TRIGGER manifests_blob_delete AFTER DELETE ON manifests FOR EACH ROW
    WHEN OLD.blob_digest IS NOT NULL
BEGIN
    UPDATE repository_blobs SET shown = shown - (v.state <> 'draft'),
        withheld = withheld - COALESCE(q.status <> 'released', 0)
    FROM package_versions v LEFT JOIN quarantine_items q ON q.version_id = v.version_id
    WHERE v.version_id = OLD.version_id AND (v.state <> 'draft' OR q.status <> 'released')
        AND repository_blobs.digest = OLD.blob_digest AND repository_blobs.repo_id = v.repo_id;
END;

-- Versions and their quarantine.

CREATE TRIGGER package_versions_blob_show AFTER UPDATE OF state ON package_versions FOR EACH ROW
    WHEN OLD.state = 'draft' AND NEW.state <> 'draft'
BEGIN
    INSERT INTO repository_blobs (digest, repo_id, tenant_id, shown, shown_since)
    SELECT c.blob_digest, r.repo_id, r.tenant_id, c.n, COALESCE(NEW.published_at, NEW.created_at)
    FROM (SELECT blob_digest, count(*) AS n FROM (
            SELECT blob_digest FROM artifact_entries WHERE version_id = NEW.version_id
            UNION ALL SELECT blob_digest FROM manifests WHERE version_id = NEW.version_id AND blob_digest IS NOT NULL)
        GROUP BY blob_digest) c
    JOIN repos r ON r.repo_id = NEW.repo_id
    WHERE true
    ON CONFLICT (digest, repo_id) DO UPDATE SET
        shown_since = CASE WHEN shown = 0 THEN excluded.shown_since ELSE shown_since END,
        shown = shown + excluded.shown;
END;
CREATE TRIGGER package_versions_blob_hide AFTER UPDATE OF state ON package_versions FOR EACH ROW
    WHEN OLD.state <> 'draft' AND NEW.state = 'draft'
BEGIN
    UPDATE repository_blobs SET shown = shown - c.n
    FROM (SELECT blob_digest, count(*) AS n FROM (
            SELECT blob_digest FROM artifact_entries WHERE version_id = NEW.version_id
            UNION ALL SELECT blob_digest FROM manifests WHERE version_id = NEW.version_id AND blob_digest IS NOT NULL)
        GROUP BY blob_digest) c
    WHERE repository_blobs.digest = c.blob_digest AND repository_blobs.repo_id = NEW.repo_id;
END;
CREATE TRIGGER package_versions_blob_delete BEFORE DELETE ON package_versions FOR EACH ROW
BEGIN
    UPDATE repository_blobs SET shown = shown - CASE WHEN OLD.state = 'draft' THEN 0 ELSE c.n END,
        withheld = withheld - CASE WHEN EXISTS (SELECT 1 FROM quarantine_items q
            WHERE q.version_id = OLD.version_id AND q.status <> 'released') THEN c.n ELSE 0 END
    FROM (SELECT blob_digest, count(*) AS n FROM (
            SELECT blob_digest FROM artifact_entries WHERE version_id = OLD.version_id
            UNION ALL SELECT blob_digest FROM manifests WHERE version_id = OLD.version_id AND blob_digest IS NOT NULL)
        GROUP BY blob_digest) c
    WHERE repository_blobs.digest = c.blob_digest AND repository_blobs.repo_id = OLD.repo_id;
END;
CREATE TRIGGER quarantine_items_blob_insert AFTER INSERT ON quarantine_items FOR EACH ROW
    WHEN NEW.status <> 'released'
BEGIN
    INSERT INTO repository_blobs (digest, repo_id, tenant_id, withheld)
    SELECT c.blob_digest, r.repo_id, r.tenant_id, c.n
    FROM (SELECT blob_digest, count(*) AS n FROM (
            SELECT blob_digest FROM artifact_entries WHERE version_id = NEW.version_id
            UNION ALL SELECT blob_digest FROM manifests WHERE version_id = NEW.version_id AND blob_digest IS NOT NULL)
        GROUP BY blob_digest) c
    JOIN package_versions v ON v.version_id = NEW.version_id JOIN repos r ON r.repo_id = v.repo_id
    WHERE true
    ON CONFLICT (digest, repo_id) DO UPDATE SET withheld = withheld + excluded.withheld;
END;
CREATE TRIGGER quarantine_items_blob_withhold AFTER UPDATE OF status ON quarantine_items FOR EACH ROW
    WHEN OLD.status = 'released' AND NEW.status <> 'released'
BEGIN
    INSERT INTO repository_blobs (digest, repo_id, tenant_id, withheld)
    SELECT c.blob_digest, r.repo_id, r.tenant_id, c.n
    FROM (SELECT blob_digest, count(*) AS n FROM (
            SELECT blob_digest FROM artifact_entries WHERE version_id = NEW.version_id
            UNION ALL SELECT blob_digest FROM manifests WHERE version_id = NEW.version_id AND blob_digest IS NOT NULL)
        GROUP BY blob_digest) c
    JOIN package_versions v ON v.version_id = NEW.version_id JOIN repos r ON r.repo_id = v.repo_id
    WHERE true
    ON CONFLICT (digest, repo_id) DO UPDATE SET withheld = withheld + excluded.withheld;
END;
CREATE TRIGGER quarantine_items_blob_release AFTER UPDATE OF status ON quarantine_items FOR EACH ROW
    WHEN OLD.status <> 'released' AND NEW.status = 'released'
BEGIN
    UPDATE repository_blobs SET withheld = withheld - c.n
    FROM (SELECT blob_digest, count(*) AS n FROM (
            SELECT blob_digest FROM artifact_entries WHERE version_id = OLD.version_id
            UNION ALL SELECT blob_digest FROM manifests WHERE version_id = OLD.version_id AND blob_digest IS NOT NULL)
        GROUP BY blob_digest) c
    JOIN package_versions v ON v.version_id = OLD.version_id
    WHERE repository_blobs.digest = c.blob_digest AND repository_blobs.repo_id = v.repo_id;
END;
CREATE TRIGGER quarantine_items_blob_delete AFTER DELETE ON quarantine_items FOR EACH ROW
    WHEN OLD.status <> 'released'
BEGIN
    UPDATE repository_blobs SET withheld = withheld - c.n
    FROM (SELECT blob_digest, count(*) AS n FROM (
            SELECT blob_digest FROM artifact_entries WHERE version_id = OLD.version_id
            UNION ALL SELECT blob_digest FROM manifests WHERE version_id = OLD.version_id AND blob_digest IS NOT NULL)
        GROUP BY blob_digest) c
    JOIN package_versions v ON v.version_id = OLD.version_id
    WHERE repository_blobs.digest = c.blob_digest AND repository_blobs.repo_id = v.repo_id;
END;
