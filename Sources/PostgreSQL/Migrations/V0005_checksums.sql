-- Checksums beside the SHA-256 are computed on first need and kept with the blob (architecture, section 7): most blobs are
-- never asked for any, so a queue that computes them for all would read every byte once more for nothing.
-- SQLite's file does the same.

DROP TABLE checksum_queue;
