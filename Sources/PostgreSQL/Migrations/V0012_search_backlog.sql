-- Published versions that can't be found yet: kept by the database itself, so that counting them doesn't read all that is
-- published. Rules: HTTP contract, 7.10 (`staleDocuments`). SQLite's file has the same table.

-- A published version without a search document, or with one older than its publication. Tenant and repository are the
-- version's own.
CREATE TABLE search_backlog (
    version_id uuid PRIMARY KEY REFERENCES package_versions ON DELETE CASCADE,
    tenant_id uuid NOT NULL,
    repo_id uuid NOT NULL,
    published_at timestamptz NOT NULL
);
CREATE INDEX search_backlog_tenant ON search_backlog (tenant_id, published_at);
CREATE INDEX search_backlog_repo ON search_backlog (repo_id, published_at);

INSERT INTO search_backlog (version_id, tenant_id, repo_id, published_at)
SELECT v.version_id, v.tenant_id, v.repo_id, v.published_at FROM package_versions v
WHERE v.state = 'published' AND NOT EXISTS (SELECT 1 FROM search_documents d
    WHERE d.tenant_id = v.tenant_id AND d.version_id = v.version_id AND d.indexed_at >= v.published_at);

CREATE FUNCTION note_published_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'published' THEN
        INSERT INTO search_backlog (version_id, tenant_id, repo_id, published_at)
        SELECT NEW.version_id, NEW.tenant_id, NEW.repo_id, NEW.published_at
        WHERE COALESCE((SELECT d.indexed_at FROM search_documents d WHERE d.tenant_id = NEW.tenant_id
            AND d.version_id = NEW.version_id) < NEW.published_at, true)
        ON CONFLICT DO NOTHING;
    ELSE
        DELETE FROM search_backlog WHERE version_id = NEW.version_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER package_versions_backlog_insert AFTER INSERT ON package_versions
    FOR EACH ROW WHEN (NEW.state = 'published') EXECUTE FUNCTION note_published_version();
CREATE TRIGGER package_versions_backlog_update AFTER UPDATE OF state ON package_versions
    FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION note_published_version();

CREATE FUNCTION note_search_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM search_backlog WHERE version_id = NEW.version_id AND published_at <= NEW.indexed_at;
    INSERT INTO search_backlog (version_id, tenant_id, repo_id, published_at)
    SELECT v.version_id, v.tenant_id, v.repo_id, v.published_at FROM package_versions v
    WHERE v.version_id = NEW.version_id AND v.state = 'published' AND v.published_at > NEW.indexed_at
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER search_documents_backlog AFTER INSERT OR UPDATE OF indexed_at ON search_documents
    FOR EACH ROW EXECUTE FUNCTION note_search_document();

-- Where the version itself goes there is nothing left to note.
CREATE FUNCTION note_lost_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO search_backlog (version_id, tenant_id, repo_id, published_at)
    SELECT v.version_id, v.tenant_id, v.repo_id, v.published_at FROM package_versions v
    WHERE v.version_id = OLD.version_id AND v.state = 'published'
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER search_documents_backlog_delete AFTER DELETE ON search_documents
    FOR EACH ROW EXECUTE FUNCTION note_lost_document();

-- The newest document of a repository; and its documents by name, as searches compare them. None by tenant: while the table
-- is young PostgreSQL takes such an index to find a single document, and goes on to for as long as the statement is kept.
DROP INDEX search_documents_repo;
DROP INDEX search_documents_tenant;
CREATE INDEX search_documents_indexed ON search_documents (repo_id, indexed_at);
CREATE INDEX search_documents_name ON search_documents (repo_id, lower(package_name));
