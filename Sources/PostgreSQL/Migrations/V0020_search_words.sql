-- The version of the rules that made a document's words. The worker renews documents of older versions in the background;
-- until then they are found by their old words. SQLite's file has the same column.
ALTER TABLE search_documents ADD COLUMN word_rules bigint NOT NULL DEFAULT 1;
CREATE INDEX search_documents_outdated ON search_documents (document_id) WHERE word_rules < 2;
