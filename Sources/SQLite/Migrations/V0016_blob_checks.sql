-- When a blob's stored object was last read and found to have the row's SHA-256. Only storages that are expensive to read
-- use it. PostgreSQL's file has the same column.
ALTER TABLE blobs ADD COLUMN verified_at INTEGER;
