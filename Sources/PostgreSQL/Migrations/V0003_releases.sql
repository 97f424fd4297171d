-- Release sets: versions, of one or several repositories, that were published in one transaction. SQLite's file has the
-- same tables and columns.

CREATE TABLE releases (
    release_id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants,
    name text,
    version_count bigint NOT NULL CHECK (version_count > 0),
    published_by_subject text NOT NULL,
    published_at timestamptz NOT NULL
);
CREATE INDEX releases_page ON releases (tenant_id, release_id);

-- What was released stays on record, whatever becomes of the versions and repositories: so there are names, and no
-- foreign keys to them.
CREATE TABLE release_versions (
    release_id uuid NOT NULL REFERENCES releases ON DELETE CASCADE,
    position bigint NOT NULL,
    version_id uuid NOT NULL UNIQUE,
    repo_key text COLLATE "C" NOT NULL,
    package_type text COLLATE "C" NOT NULL,
    namespace text COLLATE "C" NOT NULL DEFAULT '',
    name text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    PRIMARY KEY (release_id, position)
);
