// The flattened members of virtual repositories that existed before the table.

import Domain
import Persistence
import TestSupport
import Testing

@Suite struct RepositoryMemberTests {
    @Test(arguments: Engine.direct)
    func `the migration flattens the members of virtual repositories`(engine: Engine) async throws {
        let before = engine.migrations.filter { $0.version < "V0022" }
        try await engine.withDatabase(before) { database in
            let tenant = TenantID(.random())
            try await database.transaction { transaction in
                try transaction.execute(
                    "INSERT INTO tenants (tenant_id, slug, name) VALUES (\(tenant), 'members', 'M')")
                for (key, type, members) in Self.repositories {
                    let config: JSON = members.isEmpty ? [:] : ["memberRepos": JSON(members)]
                    try transaction.execute(
                        """
                        INSERT INTO repos (tenant_id, repo_key, repo_type, config)
                        VALUES (\(tenant), \(key), \(type), \(config))
                        """)
                }
            }
            try await Migrator.migrate(database, to: engine.migrations)
            let rows = try await database.read { transaction in
                try transaction.all(
                    """
                    SELECT v.repo_key, l.ordinal, m.repo_key FROM repository_members l
                    JOIN repos v ON v.repo_id = l.repo_id JOIN repos m ON m.repo_id = l.member_id
                    ORDER BY v.repo_key, l.ordinal
                    """, as: { "\(try $0[0] as String) \(try $0[1] as Int) \(try $0[2] as String)" })
            }
            #expect(rows == ["inner 0 b", "inner 1 a", "outer 0 a", "outer 1 b", "top 0 b", "top 1 a", "top 2 c"])
            let configs = try await database.read { transaction in
                try transaction.all(
                    "SELECT config FROM repos WHERE repo_type = 'virtual' AND repo_key = 'inner'",
                    as: { try $0[0] as JSON })
            }
            #expect(configs == [["memberRepos": ["b", "a"]]], "the one that does not exist is no longer named")
        }
    }

    private static let repositories: [(key: String, type: String, members: [String])] = [
        ("a", "local", []), ("b", "local", []), ("c", "local", []), ("far", "remote", []),
        ("inner", "virtual", ["b", "gone", "a"]), ("outer", "virtual", ["a", "inner", "far"]),
        ("top", "virtual", ["inner", "outer", "c"]),
    ]
}
