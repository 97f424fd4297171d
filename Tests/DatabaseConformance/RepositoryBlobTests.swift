// The counts of a repository's references to a digest, which the database keeps: they agree with a recount whatever was
// done, and what is asked of a digest costs the same with 100,000 references.

import Domain
import Foundation
import Persistence
import Registry
import Storage
import TestSupport
import Testing
import Threads

@Suite struct RepositoryBlobTests {
    private struct Count: Hashable, Comparable, Sendable, CustomStringConvertible {
        let digest: String, repo: UniqueID, sessions: Int, shown: Int, withheld: Int, readable: Bool

        var description: String {
            "\(self.digest.suffix(4)) \(self.repo): \(self.sessions) \(self.shown) \(self.withheld) \(self.readable)"
        }

        static func < (left: Self, right: Self) -> Bool { (left.digest, left.repo) < (right.digest, right.repo) }

        init(_ row: borrowing Row) throws {
            self.digest = try row[0]
            self.repo = try row[1]
            self.sessions = try row[2]
            self.shown = try row[3]
            self.withheld = try row[4]
            self.readable = self.sessions + self.shown > 0 && self.withheld == 0
        }
    }

    private static func kept(_ transaction: borrowing Transaction) throws -> [Count] {
        let wrong = try transaction.first(
            """
            SELECT COUNT(*) FROM repository_blobs
            WHERE readable <> (sessions + shown > 0 AND withheld = 0) OR (shown > 0 AND shown_since IS NULL)
            """, as: { try $0[0] as Int })
        #expect(wrong == 0)
        return try transaction.all(
            """
            SELECT digest, repo_id, sessions, shown, withheld FROM repository_blobs
            WHERE sessions <> 0 OR shown <> 0 OR withheld <> 0
            """, as: { try Count($0) }
        ).sorted()
    }

    private static func recounted(_ transaction: borrowing Transaction) throws -> [Count] {
        try transaction.all(
            """
            SELECT digest, repo_id, CAST(SUM(sessions) AS bigint), CAST(SUM(shown) AS bigint),
                CAST(SUM(withheld) AS bigint)
            FROM (
                SELECT committed_blob_digest AS digest, repo_id, 1 AS sessions, 0 AS shown, 0 AS withheld
                FROM upload_sessions WHERE state = 'committed' AND committed_blob_digest IS NOT NULL
                UNION ALL
                SELECT c.blob_digest, v.repo_id, 0, CASE WHEN v.state = 'draft' THEN 0 ELSE 1 END,
                    CASE WHEN q.status <> 'released' THEN 1 ELSE 0 END
                FROM (SELECT version_id, blob_digest FROM artifact_entries
                    UNION ALL SELECT version_id, blob_digest FROM manifests) c
                JOIN package_versions v ON v.version_id = c.version_id
                LEFT JOIN quarantine_items q ON q.version_id = c.version_id
                WHERE c.blob_digest IS NOT NULL
            ) u GROUP BY digest, repo_id
            HAVING SUM(sessions) <> 0 OR SUM(shown) <> 0 OR SUM(withheld) <> 0
            """, as: { try Count($0) }
        ).sorted()
    }

    /// Two tenants, three repositories and four blobs.
    private struct World: Sendable {
        let tenants = (0..<2).map { _ in UniqueID.random() }
        let repos = (0..<3).map { _ in UniqueID.random() }
        var versions: [UniqueID] = []
        var sessions: [UniqueID] = []

        func make(_ transaction: borrowing Transaction) throws {
            for tenant in self.tenants {
                try transaction.execute(
                    "INSERT INTO tenants (tenant_id, slug, name) VALUES (\(tenant), \(tenant.hex), 'T')")
            }
            for (index, repo) in self.repos.enumerated() {
                try transaction.execute(
                    """
                    INSERT INTO repos (repo_id, tenant_id, repo_key)
                    VALUES (\(repo), \(self.tenants[index % 2]), \("r\(index)"))
                    """)
            }
            for number in 0..<4 {
                try transaction.execute(
                    """
                    INSERT INTO blobs (digest, length_bytes, storage_key)
                    VALUES (\(Seeded.digest(number)), 1, \("k\(number)"))
                    """)
            }
        }

        /// One change, of any kind that the schema's guards allow.
        mutating func step(_ random: inout SplitMix64, _ transaction: borrowing Transaction) throws {
            let (digest, repo) = (
                Seeded.digest(Int.random(in: 0..<4, using: &random)), Int.random(in: 0..<3, using: &random)
            )
            let now = Seeded.now
            switch Int.random(in: 0..<14, using: &random) {
            case 0, 1:
                let (id, states) = (UniqueID.random(), ["draft", "draft", "published"])
                try transaction.execute(
                    """
                    INSERT INTO package_versions (version_id, tenant_id, repo_id, state, created_by_subject, published_at)
                    VALUES (\(id), \(self.tenants[repo % 2]), \(self.repos[repo]),
                        \(states.randomElement(using: &random) ?? "draft"), 's', \(now))
                    """)
                self.versions.append(id)
            case 2, 3, 4:
                guard let version = self.versions.randomElement(using: &random) else { return }
                try transaction.execute(
                    """
                    INSERT INTO artifact_entries (version_id, relative_path, blob_digest, size_bytes)
                    SELECT \(version), \("p\(Int.random(in: 0..<3, using: &random))"), \(digest), 1 FROM package_versions
                    WHERE version_id = \(version) AND state = 'draft'
                    ON CONFLICT (version_id, relative_path) DO UPDATE SET blob_digest = excluded.blob_digest
                    """)
            case 5:
                guard let version = self.versions.randomElement(using: &random) else { return }
                let blob = Bool.random(using: &random) ? digest : nil
                try transaction.execute(
                    """
                    INSERT INTO manifests (version_id, manifest, blob_digest)
                    SELECT \(version), '{}', \(blob) FROM package_versions
                    WHERE version_id = \(version) AND state = 'draft'
                    ON CONFLICT (version_id) DO UPDATE SET blob_digest = excluded.blob_digest
                    """)
            case 6:
                guard let version = self.versions.randomElement(using: &random) else { return }
                try transaction.execute(
                    """
                    DELETE FROM artifact_entries WHERE version_id = \(version) AND relative_path = 'p1'
                        AND version_id IN (SELECT version_id FROM package_versions WHERE state = 'draft')
                    """)
            case 7:
                guard let version = self.versions.randomElement(using: &random) else { return }
                try transaction.execute(
                    """
                    UPDATE package_versions SET state = 'published', published_at = \(now)
                    WHERE version_id = \(version) AND state = 'draft'
                    """)
            case 8:
                guard let version = self.versions.randomElement(using: &random) else { return }
                try transaction.execute(
                    """
                    UPDATE package_versions SET state = 'tombstoned', tombstoned_at = \(now)
                    WHERE version_id = \(version) AND state = 'published'
                    """)
            case 9, 10:
                guard let version = self.versions.randomElement(using: &random) else { return }
                let status = ["quarantined", "released", "rejected"].randomElement(using: &random) ?? "released"
                try transaction.execute(
                    """
                    INSERT INTO quarantine_items (version_id, status) VALUES (\(version), \(status))
                    ON CONFLICT (version_id) DO UPDATE SET status = excluded.status
                    """)
            case 11:
                guard let version = self.versions.randomElement(using: &random) else { return }
                if Bool.random(using: &random) {
                    try transaction.execute("DELETE FROM quarantine_items WHERE version_id = \(version)")
                } else {
                    let gone = try transaction.execute(
                        "DELETE FROM package_versions WHERE version_id = \(version) AND state <> 'published'")
                    if gone > 0 { self.versions.removeAll { $0 == version } }
                }
            case 12:
                let id = UniqueID.random()
                try transaction.execute(
                    """
                    INSERT INTO upload_sessions (upload_id, tenant_id, repo_id, expected_digest, expected_length, state,
                        committed_blob_digest, created_by_subject, expires_at)
                    VALUES (\(id), \(self.tenants[repo % 2]), \(self.repos[repo]), \(digest), 1, 'committed', \(digest),
                        's', \(now))
                    """)
                self.sessions.append(id)
            default:
                guard let session = self.sessions.randomElement(using: &random) else { return }
                switch Int.random(in: 0..<3, using: &random) {
                case 0: try transaction.execute("DELETE FROM upload_sessions WHERE upload_id = \(session)")
                case 1:
                    try transaction.execute(
                        "UPDATE upload_sessions SET committed_blob_digest = NULL WHERE upload_id = \(session)")
                default:
                    try transaction.execute(
                        """
                        UPDATE upload_sessions SET committed_blob_digest = \(digest), state = 'committed'
                        WHERE upload_id = \(session)
                        """)
                }
            }
        }
    }

    @Test(arguments: Engine.direct, [1, 2, 3, 4, 5, 6] as [UInt64])
    func `the counts agree with a recount after any changes`(engine: Engine, seed: UInt64) async throws {
        try await engine.withDatabase { database in
            try await database.transaction { transaction in
                var (world, random) = (World(), SplitMix64(seed))
                try world.make(transaction)
                for step in 0..<250 {
                    try world.step(&random, transaction)
                    guard step % 10 == 9 else { continue }
                    let (kept, recounted) = (try Self.kept(transaction), try Self.recounted(transaction))
                    #expect(kept == recounted, "seed \(seed), step \(step)")
                }
                #expect(try !Self.kept(transaction).isEmpty)
                // A blob's row takes its counts with it; a repository's too.
                try transaction.execute("DELETE FROM upload_sessions WHERE repo_id = \(world.repos[0])")
                #expect(try Self.kept(transaction) == Self.recounted(transaction))
            }
        }
    }

    /// Where 100,000 references to one digest are.
    enum Spread: String, CaseIterable, Sendable {
        /// In one repository, of which all may be read.
        case visible
        /// The same, all in quarantine.
        case quarantined
        /// Each in another tenant's repository.
        case elsewhere
        /// Each in a repository of its own, all in quarantine.
        case everywhereQuarantined
        /// Sessions of one repository.
        case sessions
    }

    private static let repos = 100_000

    @Test(.serialized, arguments: Engine.direct, Spread.allCases)
    func `what is asked of a digest costs the same with 100,000 references`(
        engine: Engine, spread: Spread
    ) async throws {
        try await engine.withDatabase(nil, Engine.Options { $0.limit = .seconds(300) }) { plain in
            let (digest, tenant) = (Seeded.digest(7), Seeded.id(.tenant, 1))
            try await plain.transaction { transaction in
                try transaction.liftLimits()
                try transaction.run(script: References(engine.dialect, spread, count: Self.repos).script)
                try transaction.run(script: "ANALYZE")
            }
            let database = ExplainingDatabase(plain)
            let caller = { @Sendable (scopes: [Scope]) in
                Caller(
                    tenant: TenantID(tenant), subject: .system, scopes: scopes, source: .pat, correlation: .random())
            }
            let key = try RepoKey(parsing: "r1")
            let expected: Int
            switch spread {
            case .visible, .sessions: expected = 200
            case .quarantined, .everywhereQuarantined: expected = 423
            case .elsewhere: expected = 404
            }
            #expect(try await Self.read(digest, in: key, of: TenantID(tenant), database) == expected)
            var times: [Duration] = []
            for _ in 0..<21 {
                let start = ContinuousClock.now
                #expect(try await Self.read(digest, in: key, of: TenantID(tenant), plain) == expected)
                times.append(ContinuousClock.now - start)
            }
            let median = times.sorted()[10]

            try await StorageFixture.file.with { storage in
                let uploads = Uploads(
                    database: database, storage: storage, clock: WallClock { Seeded.now }, owner: .random(),
                    limits: UploadLimits(
                        sessionLifetime: 60, partLifetime: 60,
                        admission: AdmissionPolicy(
                            maxLogicalStorageBytes: 1 << 40, maxConcurrentUploadSessions: 1000,
                            maxPendingSearchJobs: 1000)),
                    signer: nil, hashers: BlockingPool(threads: 1))
                let draft = try UploadDraft(expectedDigest: BlobDigest(parsing: digest), expectedLength: 7)
                for scopes in [[Scope(.admin, on: nil)], [Scope(.write, on: key)]] {
                    // The object is not there: the bytes are asked for, whether the caller may see them or not.
                    let session = try await uploads.open(
                        draft, under: caller(scopes).grant(.write, on: key), commit: Commit(database))
                    #expect(session.state == .initiated)
                }
            }
            let plans = database.takePlans()
            #expect(plans.contains { $0.statement.contains("repository_blobs") })
            for plan in plans where plan.statement.contains("repository_blobs") {
                #expect(!plan.fullScans.contains { ["repository_blobs", "u", "repos", "r"].contains($0) }, "\(plan)")
                let references = ["artifact_entries", "manifests", "package_versions", "quarantine_items"]
                #expect(!references.contains { name in plan.lines.contains { $0.contains(name) } }, "\(plan)")
            }
            let rows = try await Self.rowsRead(plans, plain)
            print(
                "\(engine), \(spread): median of a read by digest \(median)"
                    + (rows.map { ", at most \($0) buffers" } ?? ""))
            if let rows { #expect(rows < 200) }
        }
    }

    /// The status of a read by digest.
    private static func read(
        _ digest: String, in key: RepoKey, of tenant: TenantID, _ database: any Database
    ) async throws -> Int {
        let resolving = Resolving(database: database, clock: WallClock { Seeded.now }, defaultTenant: tenant)
        do {
            _ = try await resolving.blob(
                BlobDigest(parsing: digest), in: key, for: Credential(token: "reader"), correlation: .random())
            return 200
        } catch let refusal as Refusal {
            return refusal.reason == .quarantinedBlob ? 423 : refusal.reason == .notFound ? 404 : 0
        }
    }

    /// The most buffers of PostgreSQL that one of the statements touches; nil on SQLite, which does not tell.
    private static func rowsRead(_ plans: [QueryPlan], _ database: any Database) async throws -> Int? {
        guard plans.first?.dialect == .postgreSQL else { return nil }
        let digest = Seeded.digest(7)
        let (tenant, repo) = (Seeded.id(.tenant, 1), Seeded.id(.repo, 1))
        let statements: [SQL] = [
            """
            SELECT u.readable FROM repository_blobs u WHERE u.digest = \(digest) AND u.tenant_id = \(tenant)
            ORDER BY u.readable DESC LIMIT 1
            """,
            "SELECT 1 FROM repository_blobs u WHERE u.digest = \(digest) AND u.repo_id = \(repo)",
        ]
        var most = 0
        for statement in statements {
            let lines = try await database.read { transaction in
                try transaction.all("EXPLAIN (ANALYZE, BUFFERS) \(statement)", as: { try $0[0] as String })
            }
            // Those of the planning come last.
            let run = lines.prefix { !$0.hasPrefix("Planning") }
            for line in run where line.contains("Buffers:") {
                most = max(
                    most,
                    line.split(separator: "=").dropFirst().compactMap { Int($0.prefix { $0.isNumber }) }.reduce(0, +))
            }
        }
        return most
    }
}

/// Rows for 100,000 references to the digest of blob 7.
private struct References {
    private static let others = 5000

    private let dialect: Dialect
    private let spread: RepositoryBlobTests.Spread
    private let count: Int

    init(_ dialect: Dialect, _ spread: RepositoryBlobTests.Spread, count: Int) {
        self.dialect = dialect
        self.spread = spread
        self.count = count
    }

    private func id(_ kind: Seeded.Kind, _ number: String) -> String {
        let base = kind.rawValue * 1_000_000_000_000
        return switch self.dialect {
        case .postgreSQL: "encode(lpad((\(base) + \(number))::text, 16, '0')::bytea, 'hex')::uuid"
        case .sqlite: "CAST(printf('%016d', \(base) + \(number)) AS BLOB)"
        }
    }

    private func insert(_ table: String, _ columns: String, count: Int, _ values: String) -> String {
        switch self.dialect {
        case .postgreSQL:
            "INSERT INTO \(table) (\(columns)) SELECT \(values) FROM generate_series(1, \(count)) n;"
        case .sqlite:
            """
            INSERT INTO \(table) (\(columns)) WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < \(count))
            SELECT \(values) FROM s;
            """
        }
    }

    var script: String {
        let hash: String
        if case .token(let text) = Credential(token: "reader") { hash = text } else { hash = "" }
        let isApart = self.spread == .elsewhere || self.spread == .everywhereQuarantined
        let repo = self.id(.repo, isApart ? "n" : "1")
        let owner = self.id(.tenant, self.spread == .elsewhere ? "CASE WHEN n = 1 THEN 1 ELSE 2 END" : "1")
        let time = self.dialect == .sqlite ? "1767225600000000" : "to_timestamp(1767225600)"
        let later = self.dialect == .sqlite ? "4767225600000000" : "to_timestamp(4767225600)"
        let scopes = self.dialect == .sqlite ? "'[\"repo:*:read\"]'" : "ARRAY['repo:*:read']"
        let digest = "'\(Seeded.digest(7))'"
        let other = self.dialect == .sqlite ? "printf('%064x', 1000 + n)" : "lpad(to_hex(1000 + n), 64, '0')"
        var statements = [
            self.insert("tenants", "tenant_id, slug, name", count: 2, "\(self.id(.tenant, "n")), 't' || n, 'T'"),
            self.insert(
                "repos", "repo_id, tenant_id, repo_key", count: isApart ? self.count : Self.others,
                "\(self.id(.repo, "n")), \(owner), 'r' || n"),
            self.insert("blobs", "digest, length_bytes, storage_key", count: 1, "\(digest), 7, 'k7'"),
            // Other blobs, so that the tables are worth an index.
            self.insert("blobs", "digest, length_bytes, storage_key", count: Self.others, "\(other), 7, 'o' || n"),
            self.insert(
                "upload_sessions",
                """
                upload_id, tenant_id, repo_id, expected_digest, expected_length, state, committed_blob_digest,
                created_by_subject, expires_at, committed_at
                """, count: Self.others,
                """
                \(self.id(.upload, "1000000 + n")), \(self.id(.tenant, "1")), \(self.id(.repo, "1")), \(other), 7, 'committed',
                \(other), 's', \(time), \(time)
                """),
            self.insert(
                "personal_access_tokens",
                "token_id, tenant_id, subject, token_hash, scopes, expires_at, created_by_subject", count: 1,
                "\(self.id(.token, "1")), \(self.id(.tenant, "1")), 's', '\(hash)', \(scopes), \(later), 's'"),
        ]
        if self.spread == .sessions {
            return
                (statements + [
                    self.insert(
                        "upload_sessions",
                        """
                        upload_id, tenant_id, repo_id, expected_digest, expected_length, state, committed_blob_digest,
                        created_by_subject, expires_at, committed_at
                        """, count: self.count,
                        """
                        \(self.id(.upload, "n")), \(self.id(.tenant, "1")), \(repo), \(digest), 7, 'committed', \(digest),
                        's', \(time), \(time)
                        """)
                ]).joined(separator: "\n")
        }
        // In the repository that is read there is none of what is elsewhere.
        let first = self.spread == .elsewhere ? "n + 1" : "n"
        let count = self.spread == .elsewhere ? self.count - 1 : self.count
        let place = self.spread == .elsewhere ? self.id(.repo, "n + 1") : repo
        statements += [
            self.insert(
                "package_versions", "version_id, tenant_id, repo_id, state, created_by_subject, published_at",
                count: count,
                """
                \(self.id(.version, first)), \(self.id(.tenant, self.spread == .elsewhere ? "2" : "1")), \(place),
                'published', 's', \(time)
                """),
            self.insert(
                "artifact_entries", "version_id, relative_path, blob_digest, size_bytes", count: count,
                "\(self.id(.version, first)), 'p', \(digest), 7"),
        ]
        if self.spread == .quarantined || self.spread == .everywhereQuarantined {
            statements.append(
                self.insert(
                    "quarantine_items", "version_id, status", count: count,
                    "\(self.id(.version, first)), 'quarantined'"))
        }
        return statements.joined(separator: "\n")
    }
}
