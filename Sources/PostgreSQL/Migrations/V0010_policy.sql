-- The policies of repositories. An evaluation may be of something that never became a version: a file whose publish was
-- denied. SQLite's file has the same tables and columns.

CREATE TABLE repo_policies (
    repo_id uuid PRIMARY KEY REFERENCES repos ON DELETE CASCADE,
    rules jsonb NOT NULL DEFAULT '[]',
    revision bigint NOT NULL DEFAULT 1,
    updated_by_subject text,
    updated_at timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE policy_evaluations ALTER COLUMN version_id DROP NOT NULL;

-- All of a repository's items, the newest first.
CREATE INDEX quarantine_items_newest ON quarantine_items (repo_id, created_at, quarantine_id);
