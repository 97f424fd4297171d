-- What the worker needs beside the core: the index of words, rebuilds of it, webhooks. Rules: HTTP contract, 3.7, 4, 7.10
-- and section 9, rows 8, 37 and 42. PostgreSQL's file has the same tables and columns, but for
-- the index itself.

-- Documents by number: the index refers to them so. Newest first is how they are listed.
CREATE TABLE search_documents_numbered (
    document_id INTEGER PRIMARY KEY,
    tenant_id BLOB NOT NULL REFERENCES tenants,
    repo_id BLOB NOT NULL REFERENCES repos,
    version_id BLOB NOT NULL REFERENCES package_versions ON DELETE CASCADE,
    repo_key TEXT,
    package_type TEXT,
    package_namespace TEXT,
    package_name TEXT,
    version TEXT,
    published_at INTEGER,
    search_text TEXT NOT NULL DEFAULT '',
    indexed_at INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)),
    UNIQUE (tenant_id, version_id)
) STRICT;
INSERT INTO search_documents_numbered (tenant_id, repo_id, version_id, repo_key, package_type, package_namespace,
    package_name, version, published_at, search_text, indexed_at)
SELECT tenant_id, repo_id, version_id, repo_key, package_type, package_namespace, package_name, version, published_at,
    search_text, indexed_at FROM search_documents;
DROP TABLE search_documents;
ALTER TABLE search_documents_numbered RENAME TO search_documents;
CREATE INDEX search_documents_version ON search_documents (version_id);
CREATE INDEX search_documents_repo ON search_documents (repo_id, package_name, version, version_id);
CREATE INDEX search_documents_newest ON search_documents
    (repo_id, COALESCE(published_at, indexed_at) DESC, package_name, version DESC, version_id);
CREATE INDEX search_documents_tenant ON search_documents (tenant_id, indexed_at);

-- The index of words, and names by their trigrams: derived from documents, made again by a rebuild. Nothing refers to
-- them, so that they can be damaged or dropped without touching anything else.
CREATE VIRTUAL TABLE search_index USING fts5 (words, tokenize = "unicode61 remove_diacritics 0 tokenchars '-.'");
CREATE VIRTUAL TABLE search_names USING fts5 (name, tokenize = 'trigram');

-- Documents that are gone: their words are taken out of the index later.
CREATE TABLE search_forgotten (document_id INTEGER NOT NULL PRIMARY KEY) STRICT;
CREATE TRIGGER search_documents_forget AFTER DELETE ON search_documents FOR EACH ROW
BEGIN
    INSERT OR IGNORE INTO search_forgotten (document_id) VALUES (OLD.document_id);
END;

-- Rebuilds of everything, as far as they have come: a batch at a time, the newest versions first.
CREATE TABLE search_rebuilds (
    rebuild_id BLOB NOT NULL PRIMARY KEY,
    tenant_id BLOB NOT NULL REFERENCES tenants,
    repo_id BLOB REFERENCES repos ON DELETE CASCADE,
    status TEXT NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'completed', 'cancelled')),
    batch_size INTEGER NOT NULL,
    enqueued_count INTEGER NOT NULL DEFAULT 0,
    last_published_at INTEGER,
    last_version_id BLOB,
    requested_by_subject TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX search_rebuilds_running ON search_rebuilds (created_at, rebuild_id) WHERE status = 'running';
CREATE INDEX search_rebuilds_tenant ON search_rebuilds (tenant_id, created_at);
CREATE INDEX search_rebuilds_repo ON search_rebuilds (repo_id);

-- Events and jobs that failed for good, for operators.
CREATE INDEX outbox_events_dead ON outbox_events (tenant_id, dead_lettered_at, event_id)
    WHERE dead_lettered_at IS NOT NULL;
CREATE INDEX search_index_jobs_failed ON search_index_jobs (tenant_id, updated_at, job_id) WHERE status = 'failed';

CREATE TABLE webhooks (
    webhook_id BLOB NOT NULL PRIMARY KEY,
    tenant_id BLOB NOT NULL REFERENCES tenants,
    repo_id BLOB REFERENCES repos ON DELETE CASCADE,
    url TEXT NOT NULL,
    event_types TEXT NOT NULL,
    sealed_secret BLOB NOT NULL,
    created_by_subject TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    disabled_at INTEGER,
    disabled_reason TEXT,
    failures INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER NOT NULL,
    lease_token BLOB,
    lease_until INTEGER
) STRICT;
CREATE INDEX webhooks_tenant ON webhooks (tenant_id, repo_id);
CREATE INDEX webhooks_repo ON webhooks (repo_id);
CREATE INDEX webhooks_due ON webhooks (next_attempt_at, webhook_id) WHERE disabled_at IS NULL;

-- One row for each subscription and event, written with the event. It refers to its subscription by value only: a
-- publish never waits for, or fails because of, the deletion of one.
CREATE TABLE webhook_deliveries (
    ordinal INTEGER PRIMARY KEY,
    delivery_id BLOB NOT NULL UNIQUE DEFAULT (randomblob(16)) CHECK (length(delivery_id) = 16),
    webhook_id BLOB NOT NULL,
    event_id BLOB NOT NULL,
    event_type TEXT NOT NULL,
    repo_id BLOB,
    seq INTEGER,
    version_id BLOB,
    payload TEXT NOT NULL CHECK (json_valid(payload)),
    occurred_at INTEGER NOT NULL,
    status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'withheld')),
    attempts INTEGER NOT NULL DEFAULT 0,
    last_status INTEGER,
    last_error TEXT,
    attempted_at INTEGER,
    settled_at INTEGER
) STRICT;
CREATE INDEX webhook_deliveries_queue ON webhook_deliveries (webhook_id, ordinal) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_page ON webhook_deliveries (webhook_id, ordinal);
CREATE INDEX webhook_deliveries_age ON webhook_deliveries (occurred_at);
