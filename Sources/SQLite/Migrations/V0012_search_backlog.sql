-- Published versions that can't be found yet: kept by the database itself, so that counting them doesn't read all that is
-- published. Rules: HTTP contract, 7.10 (`staleDocuments`). PostgreSQL's file has the same table.

-- A published version without a search document, or with one older than its publication. Tenant and repository are the
-- version's own.
CREATE TABLE search_backlog (
    version_id BLOB NOT NULL PRIMARY KEY REFERENCES package_versions ON DELETE CASCADE,
    tenant_id BLOB NOT NULL,
    repo_id BLOB NOT NULL,
    published_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX search_backlog_tenant ON search_backlog (tenant_id, published_at);
CREATE INDEX search_backlog_repo ON search_backlog (repo_id, published_at);

INSERT INTO search_backlog (version_id, tenant_id, repo_id, published_at)
SELECT v.version_id, v.tenant_id, v.repo_id, v.published_at FROM package_versions v
WHERE v.state = 'published' AND NOT EXISTS (SELECT 1 FROM search_documents d
    WHERE d.tenant_id = v.tenant_id AND d.version_id = v.version_id AND d.indexed_at >= v.published_at);

CREATE TRIGGER package_versions_backlog_insert AFTER INSERT ON package_versions FOR EACH ROW
    WHEN NEW.state = 'published'
BEGIN
    INSERT INTO search_backlog (version_id, tenant_id, repo_id, published_at)
    SELECT NEW.version_id, NEW.tenant_id, NEW.repo_id, NEW.published_at
    WHERE COALESCE((SELECT d.indexed_at FROM search_documents d WHERE d.tenant_id = NEW.tenant_id
        AND d.version_id = NEW.version_id) < NEW.published_at, true)
    ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER package_versions_backlog_publish AFTER UPDATE OF state ON package_versions FOR EACH ROW
    WHEN NEW.state = 'published' AND OLD.state <> 'published'
BEGIN
    INSERT INTO search_backlog (version_id, tenant_id, repo_id, published_at)
    SELECT NEW.version_id, NEW.tenant_id, NEW.repo_id, NEW.published_at
    WHERE COALESCE((SELECT d.indexed_at FROM search_documents d WHERE d.tenant_id = NEW.tenant_id
        AND d.version_id = NEW.version_id) < NEW.published_at, true)
    ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER package_versions_backlog_withdraw AFTER UPDATE OF state ON package_versions FOR EACH ROW
    WHEN NEW.state <> 'published' AND OLD.state = 'published'
BEGIN
    DELETE FROM search_backlog WHERE version_id = NEW.version_id;
END;

CREATE TRIGGER search_documents_backlog_insert AFTER INSERT ON search_documents FOR EACH ROW
BEGIN
    DELETE FROM search_backlog WHERE version_id = NEW.version_id AND published_at <= NEW.indexed_at;
    INSERT INTO search_backlog (version_id, tenant_id, repo_id, published_at)
    SELECT v.version_id, v.tenant_id, v.repo_id, v.published_at FROM package_versions v
    WHERE v.version_id = NEW.version_id AND v.state = 'published' AND v.published_at > NEW.indexed_at
    ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER search_documents_backlog_update AFTER UPDATE OF indexed_at ON search_documents FOR EACH ROW
BEGIN
    DELETE FROM search_backlog WHERE version_id = NEW.version_id AND published_at <= NEW.indexed_at;
    INSERT INTO search_backlog (version_id, tenant_id, repo_id, published_at)
    SELECT v.version_id, v.tenant_id, v.repo_id, v.published_at FROM package_versions v
    WHERE v.version_id = NEW.version_id AND v.state = 'published' AND v.published_at > NEW.indexed_at
    ON CONFLICT DO NOTHING;
END;

-- Where the version itself goes there is nothing left to note.
CREATE TRIGGER search_documents_backlog_delete AFTER DELETE ON search_documents FOR EACH ROW
BEGIN
    INSERT INTO search_backlog (version_id, tenant_id, repo_id, published_at)
    SELECT v.version_id, v.tenant_id, v.repo_id, v.published_at FROM package_versions v
    WHERE v.version_id = OLD.version_id AND v.state = 'published'
    ON CONFLICT DO NOTHING;
END;

-- The newest document of a repository; and its documents by name, as searches compare them. None by tenant: while the table
-- is young PostgreSQL takes such an index to find a single document, and goes on to for as long as the statement is kept.
DROP INDEX search_documents_repo;
DROP INDEX search_documents_tenant;
CREATE INDEX search_documents_indexed ON search_documents (repo_id, indexed_at);
CREATE INDEX search_documents_name ON search_documents (repo_id, lower(package_name));
