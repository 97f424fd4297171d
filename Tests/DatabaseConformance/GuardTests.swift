// I2: a published version never changes, whoever writes. Rules: HTTP contract, 6.1; architecture, section 5.

import Domain
import Persistence
import TestSupport
import Testing

@Suite struct GuardTests {
    enum Stage: String, CaseIterable, Sendable { case draft, sealed, additive, foreign, tombstoned }

    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let refused: Set<Stage>
        var stages = Stage.allCases
        let statement: @Sendable (Rows) -> SQL

        var testDescription: String { self.name }

        init(_ name: String, refused: Set<Stage>, _ statement: @escaping @Sendable (Rows) -> SQL) {
            self.name = name
            self.refused = refused
            self.statement = statement
        }

        /// Not there: a draft with entries, say, can't change its id for their sake.
        func without(_ stage: Stage) -> Case {
            var other = self
            other.stages.removeAll { $0 == stage }
            return other
        }

        static func setting(_ assignment: SQL, refused: Set<Stage>) -> Case {
            Case("SET \(assignment)", refused: refused) { rows in
                "UPDATE package_versions SET \(assignment) WHERE version_id = \(rows.version)"
            }
        }
    }

    static let published: Set<Stage> = [.sealed, .additive, .foreign]
    static let everPublished = published.union([.tombstoned])

    static let cases: [Case] = [
        .setting("version = '2.0'", refused: everPublished),
        .setting("package_id = NULL", refused: everPublished),
        .setting("created_by_subject = 'mallory'", refused: everPublished),
        .setting("created_at = \(Rows.noon)", refused: everPublished),
        .setting("published_at = \(Rows.later)", refused: everPublished),
        .setting("published_by_subject = 'mallory'", refused: everPublished),
        .setting("publish_event_id = \(UniqueID(high: 1, low: 1))", refused: everPublished),
        Case("a change of id", refused: everPublished) { rows in
            "UPDATE package_versions SET version_id = \(rows.tenant) WHERE version_id = \(rows.version)"
        }.without(.draft),
        .setting("sealing = \(Optional(Sealing.additive))", refused: everPublished.subtracting([.additive])),
        .setting("state = 'draft'", refused: everPublished),
        .setting("state = 'published', published_at = \(Rows.noon)", refused: [.tombstoned]),
        .setting("state = 'tombstoned'", refused: published.union([.draft])),
        .setting("state = 'tombstoned', tombstoned_at = \(Rows.later), tombstone_reason = 'r'", refused: []),
        .setting("tombstoned_at = \(Rows.later)", refused: published),
        .setting("tombstone_reason = 'r'", refused: published),
        .setting("content_revision = content_revision + 1, sort_key = sort_key", refused: []),
        Case("a change of repository", refused: everPublished) { rows in
            "UPDATE package_versions SET repo_id = \(rows.repo2) WHERE version_id = \(rows.version)"
        },
        Case("a change of tenant", refused: everPublished) { rows in
            "UPDATE package_versions SET tenant_id = \(rows.tenant2) WHERE version_id = \(rows.version)"
        },
        Case("DELETE of the version", refused: published) { rows in
            "DELETE FROM package_versions WHERE version_id = \(rows.version)"
        },
        Case("UPDATE of an entry", refused: everPublished) { rows in
            "UPDATE artifact_entries SET size_bytes = 2 WHERE version_id = \(rows.version)"
        },
        Case("DELETE of an entry", refused: published) { rows in
            "DELETE FROM artifact_entries WHERE version_id = \(rows.version)"
        },
        Case("INSERT of an entry", refused: [.sealed, .tombstoned]) { rows in
            """
            INSERT INTO artifact_entries (version_id, relative_path, blob_digest, size_bytes)
            VALUES (\(rows.version), 'added', \(rows.digest), 1)
            """
        },
        Case("an entry replaced by upsert", refused: everPublished) { rows in
            """
            INSERT INTO artifact_entries (version_id, relative_path, blob_digest, size_bytes)
            VALUES (\(rows.version), 'f', \(rows.digest), 7)
            ON CONFLICT (version_id, relative_path) DO UPDATE SET size_bytes = excluded.size_bytes
            """
        },
        Case("an entry moved in from a draft", refused: [.sealed, .tombstoned]) { rows in
            "UPDATE artifact_entries SET version_id = \(rows.version) WHERE version_id = \(rows.draft2)"
        },
        Case("UPDATE of the manifest", refused: everPublished) { rows in
            "UPDATE manifests SET blob_digest = \(rows.digest) WHERE version_id = \(rows.version)"
        },
        Case("DELETE of the manifest", refused: published) { rows in
            "DELETE FROM manifests WHERE version_id = \(rows.version)"
        },
    ]

    @Test(arguments: Engine.direct)
    func `what has been published stays as it is`(engine: Engine) async throws {
        struct Done: Error {}
        try await engine.withDatabase { database in
            for test in Self.cases {
                for stage in test.stages {
                    let end = await #expect(throws: (any Error).self) {
                        try await database.transaction { transaction in
                            let rows = try Rows(transaction)
                            try rows.enter(stage, transaction)
                            let changed = try transaction.execute(test.statement(rows))
                            #expect(changed == 1, "\(test.name) where \(stage)")
                            throw Done()  // each case begins with nothing
                        }
                    }
                    switch end as? DatabaseFault {
                    case .immutable: #expect(test.refused.contains(stage), "\(test.name) where \(stage)")
                    case nil: #expect(!test.refused.contains(stage) && end is Done, "\(test.name) where \(stage)")
                    case let fault?: Issue.record("\(test.name) where \(stage): \(fault)")
                    }
                }
            }
        }
    }

    @Test(arguments: Engine.direct)
    func `published needs its time`(engine: Engine) async throws {
        try await engine.withDatabase { database in
            await #expect(throws: DatabaseFault.self) {
                try await database.transaction { transaction in
                    let rows = try Rows(transaction)
                    try transaction.execute(
                        "UPDATE package_versions SET state = 'published' WHERE version_id = \(rows.version)")
                }
            }
        }
    }

    @Test(arguments: Engine.direct)
    func `a tombstoned version goes with all that hangs on it`(engine: Engine) async throws {
        try await engine.withDatabase { database in
            try await database.transaction { transaction in
                let rows = try Rows(transaction)
                try rows.enter(.sealed, transaction)
                try transaction.execute(
                    "INSERT INTO search_index_jobs (tenant_id, version_id) VALUES (\(rows.tenant), \(rows.version))")
                try transaction.execute(
                    """
                    INSERT INTO package_tags (package_id, tag, version_id)
                    VALUES (\(rows.package), 'latest', \(rows.version))
                    """)
                try rows.tombstone(transaction)
                try transaction.execute("DELETE FROM package_versions WHERE version_id = \(rows.version)")
                for table in ["artifact_entries", "manifests", "search_index_jobs", "package_tags"] as [SQL] {
                    let left = try transaction.all(
                        "SELECT 1 FROM \(table) WHERE version_id = \(rows.version)", as: { _ in true })
                    #expect(left == [])
                }
            }
        }
    }

    @Test(arguments: Engine.direct)
    func `an audit row is never rewritten`(engine: Engine) async throws {
        try await engine.withDatabase { database in
            _ = try await database.transaction { try $0.execute("INSERT INTO audit_log (action) VALUES ('a')") }
            let fault = await #expect(throws: DatabaseFault.self) {
                try await database.transaction { try $0.execute("UPDATE audit_log SET actor = 'nobody'") }
            }
            guard case .immutable = fault else {
                Issue.record("\(String(describing: fault))")
                return
            }
        }
    }

    /// Every column with a closed set of values, and one that isn't in it.
    @Test(arguments: Engine.direct)
    func `a state that isn't one is refused`(engine: Engine) async throws {
        let statements: [@Sendable (Rows) -> SQL] = [
            { "UPDATE repos SET repo_type = 'x' WHERE repo_id = \($0.repo)" },
            { "UPDATE blobs SET state = 'x' WHERE digest = \($0.digest)" },
            { "UPDATE blobs SET length_bytes = -1 WHERE digest = \($0.digest)" },
            { _ in "INSERT INTO blobs (digest, length_bytes, storage_key) VALUES ('AA', 1, 'k')" },
            { "UPDATE package_versions SET state = 'x' WHERE version_id = \($0.version)" },
            { "UPDATE package_versions SET sealing = 'x' WHERE version_id = \($0.version)" },
            { "INSERT INTO quarantine_items (version_id, status) VALUES (\($0.version), 'x')" },
            { "INSERT INTO policy_evaluations (version_id, decision) VALUES (\($0.version), 'x')" },
            { "INSERT INTO artifact_protections (version_id, mode) VALUES (\($0.version), 'x')" },
            {
                """
                INSERT INTO search_index_jobs (tenant_id, version_id, status)
                VALUES (\($0.tenant), \($0.version), 'x')
                """
            },
            { _ in "INSERT INTO gc_runs (mode) VALUES ('x')" },
        ]
        try await engine.withDatabase { database in
            let rows = try await database.transaction { try Rows($0) }
            for make in statements {
                let statement = make(rows)
                let fault = await #expect(throws: DatabaseFault.self) {
                    try await database.transaction { try $0.execute(statement) }
                }
                guard case .other = fault else {
                    Issue.record("\(String(describing: fault)): \(statement)")
                    return
                }
            }
        }
    }

    @Test(.enabled(if: Engine.available.contains(.postgreSQL)))
    func `an entry written beside a publish waits for it, and is refused`() async throws {
        try await Engine.postgreSQL.withDatabase { database in
            let rows = try await database.transaction { transaction in
                let rows = try Rows(transaction)
                try rows.insertEntry("f", transaction)
                return rows
            }
            let published = Counter()
            let release = Counter()
            async let publishing: Void = database.transaction { transaction in
                try rows.publish(sealing: .sealed, transaction)
                published.increment(awaiting: 1, within: 0)
                release.wait(for: 1)
            }
            #expect(await eventually { published.value == 1 })
            let adding = Task { try await database.transaction { try rows.insertEntry("late", $0) } }
            #expect(
                try await eventually {
                    try await database.lookup { transaction in
                        try transaction.first(
                            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)", as: { try $0[0] as Bool })
                    } == true
                })
            release.increment(awaiting: 1, within: 0)
            try await publishing
            await #expect(throws: DatabaseFault.self) { try await adding.value }
        }
    }
}

extension Rows {
    var tenant2: UniqueID { UniqueID(high: 2, low: 1) }
    var repo2: UniqueID { UniqueID(high: 2, low: 2) }
    var draft2: UniqueID { UniqueID(high: 2, low: 3) }

    /// Brings the version there, with an entry and a manifest; a second tenant, repository and draft stand by.
    func enter(_ stage: GuardTests.Stage, _ transaction: borrowing Transaction) throws {
        try transaction.execute("INSERT INTO tenants (tenant_id, slug, name) VALUES (\(self.tenant2), 't2', 'T')")
        try transaction.execute(
            "INSERT INTO repos (repo_id, tenant_id, repo_key) VALUES (\(self.repo2), \(self.tenant), 'r2')")
        try self.insertVersion(self.draft2, "2-draft", transaction)
        try self.insertEntry("moved", of: self.draft2, transaction)
        try self.insertEntry("f", transaction)
        try transaction.execute(
            "INSERT INTO manifests (version_id, manifest) VALUES (\(self.version), \(JSON.object([])))")
        switch stage {
        case .draft: break
        case .sealed: try self.publish(sealing: .sealed, transaction)
        case .additive: try self.publish(sealing: .additive, transaction)
        case .foreign: try self.publish(sealing: nil, transaction)
        case .tombstoned:
            try self.publish(sealing: .sealed, transaction)
            try self.tombstone(transaction)
        }
    }
}
