-- The local repositories that a virtual repository reads: its members, and the members of virtual repositories inside it, in
-- order, each once. The server replaces the rows of a virtual repository in the transaction that changes what they follow
-- from. PostgreSQL's file has the same table.

CREATE TABLE repository_members (
    repo_id BLOB NOT NULL REFERENCES repos ON DELETE CASCADE,
    ordinal INTEGER NOT NULL,
    member_id BLOB NOT NULL REFERENCES repos ON DELETE CASCADE,
    PRIMARY KEY (repo_id, ordinal),
    UNIQUE (repo_id, member_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX repository_members_member ON repository_members (member_id);

-- A member that was deleted: a later repository of its name is not a member.
UPDATE repos SET config = json_set(config, '$.memberRepos', json((
    SELECT json_group_array(l.value) FROM (
        SELECT k.value FROM json_each(repos.config, '$.memberRepos') k
        WHERE EXISTS (SELECT 1 FROM repos m WHERE m.tenant_id = repos.tenant_id AND m.repo_key = k.value)
        ORDER BY k.key) l)))
WHERE repo_type = 'virtual' AND json_type(config, '$.memberRepos') = 'array';

WITH RECURSIVE walk (repo_id, tenant_id, member_id, path) AS (
    SELECT v.repo_id, v.tenant_id, m.repo_id, printf('%05d', k.key)
    FROM repos v JOIN json_each(v.config, '$.memberRepos') k
    JOIN repos m ON m.tenant_id = v.tenant_id AND m.repo_key = k.value
    WHERE v.repo_type = 'virtual'
    UNION ALL
    SELECT w.repo_id, w.tenant_id, m.repo_id, w.path || printf('%05d', k.key)
    FROM walk w JOIN repos v ON v.repo_id = w.member_id AND v.repo_type = 'virtual'
    JOIN json_each(v.config, '$.memberRepos') k
    JOIN repos m ON m.tenant_id = w.tenant_id AND m.repo_key = k.value
    WHERE length(w.path) < 40
)
INSERT INTO repository_members (repo_id, ordinal, member_id)
SELECT f.repo_id, row_number() OVER (PARTITION BY f.repo_id ORDER BY f.path) - 1, f.member_id
FROM (SELECT w.repo_id, w.member_id, min(w.path) AS path
    FROM walk w JOIN repos m ON m.repo_id = w.member_id AND m.repo_type = 'local'
    GROUP BY w.repo_id, w.member_id) f;
