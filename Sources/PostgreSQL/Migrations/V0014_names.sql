-- Names that look alike: at most one package of a repository has a given Unicode normalization form C. Names and subjects
-- sort and compare by their bytes. SQLite's file has the same columns.

-- The SHA-256 of the normalization form C of type, namespace and name; NULL if no other name has the same form.
ALTER TABLE packages ADD COLUMN name_key bytea;
-- Empty; the row's own id if the name was allowed beside another of the same form, or was there before this migration.
ALTER TABLE packages ADD COLUMN name_variant bytea NOT NULL DEFAULT '';

UPDATE packages SET name_variant = uuid_send(package_id),
    name_key = sha256(convert_to(
        normalize(package_type || E'\n' || namespace || E'\n' || name, NFC), 'UTF8'))
WHERE octet_length(package_type || namespace || name) <> char_length(package_type || namespace || name)
    OR package_type || namespace || name ~ '[K;`]';

CREATE UNIQUE INDEX packages_name_key ON packages (repo_id, name_key, name_variant) WHERE name_key IS NOT NULL;

DO $$
DECLARE
    found record;
BEGIN
    FOR found IN SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        JOIN pg_collation l ON l.oid = a.attcollation
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0
            AND NOT a.attisdropped AND a.atttypid = 'text'::regtype AND l.collname <> 'C'
            AND (a.attname LIKE '%subject' OR a.attname IN ('name', 'display_name', 'format', 'actor'))
    LOOP
        EXECUTE format('ALTER TABLE %I ALTER COLUMN %I TYPE text COLLATE "C"', found.relname, found.attname);
    END LOOP;
END $$;
