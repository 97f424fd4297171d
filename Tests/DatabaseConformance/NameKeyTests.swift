// Names in the databases: the order and equality of their bytes, and what tells lookalikes. The same on each of them.

import Domain
import Normalization
import TestSupport
import Testing

@testable import Persistence

@Suite struct NameKeyTests {
    private static let texts = [
        "kit", "Kit", "\u{212A}it", "a;b", "a\u{37E}b", "`", "\u{1FEF}", "\u{E9}", "e\u{301}", "plain", "1.0.0",
        "\u{65E5}", "a\u{323}\u{301}", "a\u{301}\u{323}", "\u{AC00}", "\u{1100}\u{1161}", "\u{1F600}", "",
    ]

    @Test func `no other character becomes plain ASCII`() throws {
        for value in UInt32(0x80)...0x10FFFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let form = try #require(NormalizationFormC.of(String(scalar)))
            if form.utf8.allSatisfy({ $0 < 0x80 }) {
                #expect(!NormalizationFormC.isUnmistakable(form), "U+\(String(value, radix: 16))")
            }
        }
    }

    @Test(arguments: [
        ("\u{212A}", "K"), ("e\u{301}", "\u{E9}"), ("\u{1100}\u{1161}", "\u{AC00}"),
        ("a\u{301}\u{323}", "\u{1EA1}\u{301}"),
        ("\u{2126}", "\u{3A9}"), ("plain", "plain"),
    ])
    func `form C is computed`(text: String, form: String) {
        #expect(NormalizationFormC.of(text).map { Name($0) } == Name(form))
    }

    @Test func `names are confusable only if their forms are the same`() throws {
        for one in Self.texts {
            for other in Self.texts {
                let expected = one == other && Name(one) != Name(other)  // canonical equivalence
                #expect(try NameKey.areConfusable(one, other) == expected, "\(one) \(other)")
                if expected { #expect(try NameKey.key(of: one) == NameKey.key(of: other)) }
            }
        }
    }

    @Test(arguments: Engine.direct)
    func `the database sees the same names as mistakable`(engine: Engine) async throws {
        try await engine.withDatabase(engine.migrations) { database in
            for text in Self.texts {
                let found = try await database.read { transaction in
                    try transaction.first(
                        """
                        SELECT CASE WHEN \(NameKey.isMistakable("x.name")) THEN 1 ELSE 0 END
                        FROM (SELECT CAST(\(text) AS text) AS name) x
                        """, as: { try $0[0] as Int })
                }
                #expect((found == 1) == !NormalizationFormC.isUnmistakable(text), "\(text)")
            }
        }
    }

    @Test(arguments: Engine.direct)
    func `the database orders names as their bytes`(engine: Engine) async throws {
        try await engine.withDatabase(engine.migrations) { database in
            let names = Self.texts.map { Name("x\($0)") }
            let found = try await database.transaction { transaction in
                for name in names {
                    try transaction.execute(
                        """
                        INSERT INTO tenants (tenant_id, slug, name, created_at)
                        VALUES (\(UniqueID.random()), \(name), \(name), \(Timestamp(microseconds: 0)))
                        """)
                }
                let bySlug = try transaction.all("SELECT slug FROM tenants ORDER BY slug", as: { try $0[0] as Name })
                let byName = try transaction.all("SELECT name FROM tenants ORDER BY name", as: { try $0[0] as Name })
                #expect(bySlug == byName)
                return bySlug.filter { $0.starts(with: "x") }
            }
            #expect(found == names.sorted())
        }
    }

    @Test(arguments: Engine.direct.filter { $0 != .sqlite })
    func `every column that holds a name or a subject compares bytes`(engine: Engine) async throws {
        try await engine.withDatabase(engine.migrations) { database in
            let others = try await database.read { transaction in
                try transaction.all(
                    """
                    SELECT c.relname || '.' || a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                    JOIN pg_collation l ON l.oid = a.attcollation
                    WHERE c.relnamespace = CAST(current_schema() AS regnamespace) AND c.relkind = 'r' AND a.attnum > 0
                        AND c.relname <> 'schema_migrations'
                        AND NOT a.attisdropped AND a.atttypid = CAST('text' AS regtype) AND l.collname <> 'C'
                        AND (a.attname LIKE '%subject' OR a.attname LIKE '%name' OR a.attname IN ('format', 'actor',
                            'namespace', 'package_namespace', 'version', 'tag', 'relative_path', 'slug', 'repo_key',
                            'package_type', 'storage_key', 'predicate_type'))
                    """, as: { try $0[0] as String })
            }
            #expect(others == [])
        }
    }

    private struct Place {
        let repository: Repository

        init(_ database: any Database, allowing: Bool = false) async throws {
            let now = Timestamp(microseconds: 1_000_000)
            let tenant = TenantID(at: now)
            var settings = RepositorySettings()
            settings.allowConfusableNames = allowing
            let repository = Repository(
                id: RepoID(at: now), tenant: tenant, key: try RepoKey(parsing: "r"), kind: .local, format: nil,
                settings: settings, revision: 1, createdAt: now, updatedAt: now)
            try await database.transaction { transaction in
                try transaction.execute(
                    """
                    INSERT INTO tenants (tenant_id, slug, name, created_at)
                    VALUES (\(tenant), \(UniqueID.random().hex), 't', \(now))
                    """)
                _ = try RepositoryStore.insert(repository, by: .system, transaction)
            }
            self.repository = repository
        }
    }

    /// Inserts a package as programs did that knew no keys.
    private static func insertOld(
        _ name: String, in repository: Repository, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO packages (package_id, tenant_id, repo_id, package_type, namespace, name)
            VALUES (\(PackageID(UniqueID.random())), \(repository.tenant), \(repository.id), 'generic', '', \(name))
            """)
    }

    @Test(arguments: Engine.direct)
    func `lookalikes of before the migration are kept, and no third one is added`(engine: Engine) async throws {
        let before = engine.migrations.filter { $0.version < "V0014" }
        try await engine.withDatabase(before) { database in
            let place = try await Place(database)
            try await database.transaction { transaction in
                for text in Self.texts where !text.isEmpty {
                    try Self.insertOld(text, in: place.repository, transaction)
                }
            }
            try await Migrator.migrate(database, to: engine.migrations)
            let rows = try await database.read { transaction in
                try transaction.all(
                    "SELECT name, name_key FROM packages", as: { (try $0[0] as String, try $0[1] as [UInt8]?) })
            }
            #expect(rows.count == Self.texts.count - 1)
            for (name, key) in rows { #expect(try key == NameKey.key(of: "generic\n\n\(name)"), "\(name)") }
            let third = PackageName(type: "generic", name: "\u{212B}\u{323}")  // Å with a dot below
            let same = PackageName(type: "generic", name: "a\u{301}\u{323}")
            try await database.transaction { transaction in
                let now = Timestamp(microseconds: 0)
                _ = try PackageStore.locked(third, in: place.repository, at: now, transaction)
                _ = try PackageStore.locked(same, in: place.repository, at: now, transaction)  // it is there
            }
            await #expect(throws: Refusal.self) {
                try await database.transaction { transaction in
                    _ = try PackageStore.locked(
                        PackageName(type: "generic", name: "\u{1EA1}\u{301}"), in: place.repository,
                        at: Timestamp(microseconds: 0), transaction)
                }
            }
        }
    }

    @Test(arguments: Engine.direct)
    func `of rivals with names that look alike one succeeds`(engine: Engine) async throws {
        try await engine.withDatabase(engine.migrations) { database in
            let place = try await Place(database)
            for round in 0..<20 {
                let rivals = ["K\(round)", "\u{212A}\(round)"]
                let outcomes = await withTaskGroup(of: Bool.self) { group in
                    for name in rivals {
                        group.addTask {
                            do {
                                try await database.transaction { transaction in
                                    _ = try PackageStore.locked(
                                        PackageName(type: "generic", name: name), in: place.repository,
                                        at: Timestamp(microseconds: 0), transaction)
                                }
                                return true
                            } catch let refusal as Refusal {
                                #expect(refusal.reason == .confusableName)
                                return false
                            } catch {
                                Issue.record(error)
                                return false
                            }
                        }
                    }
                    return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
                }
                #expect(outcomes == 1)
            }
            let allowing = try await Place(database, allowing: true)
            try await database.transaction { transaction in
                for name in ["K", "\u{212A}"] {
                    _ = try PackageStore.locked(
                        PackageName(type: "generic", name: name), in: allowing.repository,
                        at: Timestamp(microseconds: 0), transaction)
                }
            }
        }
    }
}
