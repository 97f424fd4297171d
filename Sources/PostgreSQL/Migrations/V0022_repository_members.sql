-- The local repositories that a virtual repository reads: its members, and the members of virtual repositories inside it, in
-- order, each once. The server replaces the rows of a virtual repository in the transaction that changes what they follow
-- from. SQLite's file has the same table.

CREATE TABLE repository_members (
    repo_id uuid NOT NULL REFERENCES repos ON DELETE CASCADE,
    ordinal integer NOT NULL,
    member_id uuid NOT NULL REFERENCES repos ON DELETE CASCADE,
    PRIMARY KEY (repo_id, ordinal),
    UNIQUE (repo_id, member_id)
);
CREATE INDEX repository_members_member ON repository_members (member_id);

-- A member that was deleted: a later repository of its name is not a member.
UPDATE repos v SET config = jsonb_set(v.config, '{memberRepos}', COALESCE((
    SELECT jsonb_agg(k.key ORDER BY k.n) FROM jsonb_array_elements_text(v.config -> 'memberRepos') WITH ORDINALITY k (key, n)
    WHERE EXISTS (SELECT 1 FROM repos m WHERE m.tenant_id = v.tenant_id AND m.repo_key = k.key)), '[]'))
WHERE v.repo_type = 'virtual' AND jsonb_typeof(v.config -> 'memberRepos') = 'array';

WITH RECURSIVE walk (repo_id, tenant_id, member_id, path) AS (
    SELECT v.repo_id, v.tenant_id, m.repo_id, ARRAY[k.n]
    FROM repos v CROSS JOIN LATERAL jsonb_array_elements_text(
        CASE WHEN jsonb_typeof(v.config -> 'memberRepos') = 'array' THEN v.config -> 'memberRepos' END)
        WITH ORDINALITY k (key, n)
    JOIN repos m ON m.tenant_id = v.tenant_id AND m.repo_key = k.key
    WHERE v.repo_type = 'virtual'
    UNION ALL
    SELECT w.repo_id, w.tenant_id, m.repo_id, w.path || k.n
    FROM walk w JOIN repos v ON v.repo_id = w.member_id AND v.repo_type = 'virtual'
    CROSS JOIN LATERAL jsonb_array_elements_text(
        CASE WHEN jsonb_typeof(v.config -> 'memberRepos') = 'array' THEN v.config -> 'memberRepos' END)
        WITH ORDINALITY k (key, n)
    JOIN repos m ON m.tenant_id = w.tenant_id AND m.repo_key = k.key
    WHERE cardinality(w.path) < 8
)
INSERT INTO repository_members (repo_id, ordinal, member_id)
SELECT f.repo_id, row_number() OVER (PARTITION BY f.repo_id ORDER BY f.path) - 1, f.member_id
FROM (SELECT w.repo_id, w.member_id, min(w.path) AS path
    FROM walk w JOIN repos m ON m.repo_id = w.member_id AND m.repo_type = 'local'
    GROUP BY w.repo_id, w.member_id) f;
