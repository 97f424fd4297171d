-- Names that look alike: at most one package of a repository has a given Unicode normalization form C. PostgreSQL's file
-- has the same columns. (`normalized_name_key` is a function of this program: SQLite has no normalization.)

-- The SHA-256 of the normalization form C of type, namespace and name; NULL if no other name has the same form.
ALTER TABLE packages ADD COLUMN name_key BLOB;
-- Empty; the row's own id if the name was allowed beside another of the same form, or was there before this migration.
ALTER TABLE packages ADD COLUMN name_variant BLOB NOT NULL DEFAULT x'';

UPDATE packages SET name_variant = package_id,
    name_key = normalized_name_key(package_type || char(10) || namespace || char(10) || name)
WHERE normalized_name_key(package_type || char(10) || namespace || char(10) || name) IS NOT NULL;

CREATE UNIQUE INDEX packages_name_key ON packages (repo_id, name_key, name_variant) WHERE name_key IS NOT NULL;
