-- The policies of repositories. An evaluation may be of something that never became a version: a file whose publish was
-- denied. PostgreSQL's file has the same tables and columns.

CREATE TABLE repo_policies (
    repo_id BLOB NOT NULL PRIMARY KEY REFERENCES repos ON DELETE CASCADE,
    rules TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(rules)),
    revision INTEGER NOT NULL DEFAULT 1,
    updated_by_subject TEXT,
    updated_at INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER))
) STRICT, WITHOUT ROWID;

-- A column can't lose its NOT NULL here: the table is made anew, with the same rows.
CREATE TABLE policy_evaluations_anew (
    evaluation_id INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id BLOB REFERENCES tenants,
    repo_id BLOB REFERENCES repos ON DELETE CASCADE,
    version_id BLOB REFERENCES package_versions ON DELETE CASCADE,
    action TEXT NOT NULL DEFAULT 'publish' CHECK (action IN ('publish', 'promote')),
    decision TEXT NOT NULL CHECK (decision IN ('allow', 'deny', 'quarantine')),
    decision_source TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    policy_engine_version TEXT,
    details TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(details)),
    content_revision INTEGER,
    evaluated_by_subject TEXT,
    evaluated_at INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)),
    spent_at INTEGER
) STRICT;
INSERT INTO policy_evaluations_anew (evaluation_id, tenant_id, repo_id, version_id, action, decision, decision_source,
    reason, policy_engine_version, details, content_revision, evaluated_by_subject, evaluated_at, spent_at)
SELECT evaluation_id, tenant_id, repo_id, version_id, action, decision, decision_source, reason, policy_engine_version,
    details, content_revision, evaluated_by_subject, evaluated_at, spent_at
FROM policy_evaluations;
DROP TABLE policy_evaluations;
ALTER TABLE policy_evaluations_anew RENAME TO policy_evaluations;
CREATE INDEX policy_evaluations_version ON policy_evaluations (version_id, action, content_revision);
CREATE INDEX policy_evaluations_repo ON policy_evaluations (repo_id, evaluation_id);
CREATE INDEX policy_evaluations_tenant ON policy_evaluations (tenant_id, evaluation_id);

-- Grows with whatever makes earlier verdicts worthless; read under the lock of the repository's row.
ALTER TABLE repos ADD COLUMN policy_generation INTEGER NOT NULL DEFAULT 0;

CREATE INDEX policy_evaluations_decision ON policy_evaluations (repo_id, decision, evaluation_id);

-- All of a repository's items, the newest first.
CREATE INDEX quarantine_items_newest ON quarantine_items (repo_id, created_at, quarantine_id);
