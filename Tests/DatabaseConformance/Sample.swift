// A schema of the drivers' own tests: a column of each kind, a claimable job, a guarded row, a full-text document.

import Domain
import Persistence
import TestSupport

struct Sample: Hashable, Sendable {
    var id: UniqueID, name: String, flag: Bool, count: Int64, small: Int?
    var payload: [UInt8]?, document: JSON?, labels: TextList, created: Timestamp

    init(_ name: String, at time: Int64 = 1_700_000_000_123_456) {
        self.id = UniqueID(at: Timestamp(microseconds: time))
        self.name = name
        self.flag = true
        self.count = .max
        self.small = nil
        self.payload = nil
        self.document = nil
        self.labels = TextList([])
        self.created = Timestamp(microseconds: time)
    }

    init(row: borrowing Row) throws {
        self.id = try row[0]
        self.name = try row[1]
        self.flag = try row[2]
        self.count = try row[3]
        self.small = try row[4]
        self.payload = try row[5]
        self.document = try row[6]
        self.labels = try row[7]
        self.created = try row[8]
    }

    var insert: SQL {
        """
        INSERT INTO samples (sample_id, name, flag, count, small, payload, document, labels, created_at)
        VALUES (\(self.id), \(self.name), \(self.flag), \(self.count), \(self.small), \(self.payload),
            \(self.document), \(self.labels), \(self.created))
        """
    }

    static func first(_ id: UniqueID, _ transaction: borrowing Transaction) throws -> Sample? {
        try transaction.first(
            """
            SELECT sample_id, name, flag, count, small, payload, document, labels, created_at FROM samples
            WHERE sample_id = \(id)
            """, as: Sample.init(row:))
    }

    static func count(_ transaction: borrowing Transaction) throws -> Int {
        try transaction.first("SELECT count(*) FROM samples", as: { try $0[0] as Int }) ?? 0
    }

    static func migrations(for dialect: Dialect) -> [Migration] {
        [Migration("V0001_samples", oldestLevel: 1, script: Array(Self.script(dialect).utf8))]
    }

    private static func script(_ dialect: Dialect) -> String {
        switch dialect {
        case .postgreSQL:
            """
            CREATE TABLE samples (sample_id uuid PRIMARY KEY, name text NOT NULL UNIQUE,
                flag boolean NOT NULL DEFAULT false, count bigint NOT NULL DEFAULT 0, small integer, payload bytea,
                document jsonb, labels text[] NOT NULL DEFAULT '{}', created_at timestamptz NOT NULL);
            CREATE TABLE jobs (job_id uuid PRIMARY KEY, status text NOT NULL, available_at timestamptz NOT NULL,
                attempts bigint NOT NULL DEFAULT 0);
            CREATE INDEX jobs_due ON jobs (available_at, job_id) WHERE status = 'pending';
            CREATE TABLE versions (version_id uuid PRIMARY KEY, state text NOT NULL, note text);
            CREATE TABLE entries (version_id uuid NOT NULL REFERENCES versions, path text NOT NULL,
                size bigint NOT NULL, PRIMARY KEY (version_id, path));
            CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'version % is published', OLD.version_id USING ERRCODE = 'AF001';
            END $$;
            CREATE TRIGGER versions_immutable BEFORE UPDATE ON versions FOR EACH ROW
                WHEN (OLD.state = 'published') EXECUTE FUNCTION refuse_change();
            CREATE TABLE documents (version_id uuid PRIMARY KEY, body text NOT NULL,
                words tsvector GENERATED ALWAYS AS (to_tsvector('simple', body)) STORED);
            CREATE INDEX documents_words ON documents USING gin (words);
            """
        case .sqlite:
            """
            CREATE TABLE samples (sample_id BLOB NOT NULL PRIMARY KEY, name TEXT NOT NULL UNIQUE,
                flag INTEGER NOT NULL DEFAULT 0, count INTEGER NOT NULL DEFAULT 0, small INTEGER, payload BLOB,
                document TEXT CHECK (document IS NULL OR json_valid(document)), labels TEXT NOT NULL DEFAULT '[]',
                created_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
            CREATE TABLE jobs (job_id BLOB NOT NULL PRIMARY KEY, status TEXT NOT NULL, available_at INTEGER NOT NULL,
                attempts INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
            CREATE INDEX jobs_due ON jobs (available_at, job_id) WHERE status = 'pending';
            CREATE TABLE versions (version_id BLOB NOT NULL PRIMARY KEY, state TEXT NOT NULL, note TEXT)
                STRICT, WITHOUT ROWID;
            CREATE TABLE entries (version_id BLOB NOT NULL REFERENCES versions, path TEXT NOT NULL,
                size INTEGER NOT NULL, PRIMARY KEY (version_id, path)) STRICT, WITHOUT ROWID;
            CREATE TRIGGER versions_immutable BEFORE UPDATE ON versions FOR EACH ROW WHEN OLD.state = 'published'
            BEGIN
                SELECT RAISE(ABORT, 'AF001 version is published');
            END;
            CREATE VIRTUAL TABLE documents USING fts5 (version_id UNINDEXED, body,
                tokenize = 'unicode61 remove_diacritics 0');
            """
        }
    }
}

extension Engine {
    /// A database with the samples' schema.
    func withSamples(_ options: Options = Options(), _ body: (any Database) async throws -> Void) async throws {
        try await self.withDatabase(Sample.migrations(for: self.dialect), options, body)
    }
}
