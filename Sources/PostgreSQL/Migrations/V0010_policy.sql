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

-- Grows with whatever makes earlier verdicts worthless; read under the lock of the repository's row.
ALTER TABLE repos ADD COLUMN policy_generation bigint NOT NULL DEFAULT 0;

CREATE INDEX policy_evaluations_decision ON policy_evaluations (repo_id, decision, evaluation_id);

-- All of a repository's items, the newest first.
CREATE INDEX quarantine_items_newest ON quarantine_items (repo_id, created_at, quarantine_id);
