-- Release sets: versions, of one or several repositories, that were published in one transaction. PostgreSQL's file has
-- the same tables and columns.

CREATE TABLE releases (
    release_id BLOB NOT NULL PRIMARY KEY CHECK (length(release_id) = 16),
    tenant_id BLOB NOT NULL REFERENCES tenants,
    name TEXT,
    version_count INTEGER NOT NULL CHECK (version_count > 0),
    published_by_subject TEXT NOT NULL,
    published_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX releases_page ON releases (tenant_id, release_id);

-- What was released stays on record, whatever becomes of the versions and repositories: so there are names, and no
-- foreign keys to them.
CREATE TABLE release_versions (
    release_id BLOB NOT NULL REFERENCES releases ON DELETE CASCADE,
    position INTEGER NOT NULL,
    version_id BLOB NOT NULL UNIQUE,
    repo_key TEXT NOT NULL,
    package_type TEXT NOT NULL,
    namespace TEXT NOT NULL DEFAULT '',
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    PRIMARY KEY (release_id, position)
) STRICT, WITHOUT ROWID;
