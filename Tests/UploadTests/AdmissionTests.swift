// Quotas: what a tenant's sessions use, and that rivals don't get past it together. Rules: HTTP contract, 3.4 and 7.5.

import Cryptography
import Domain
import Persistence
import TestSupport
import Testing

@Suite struct AdmissionTests {
    private static func body(_ number: Int, _ count: Int = 100) -> [UInt8] {
        [UInt8](repeating: UInt8(number), count: count)
    }

    @Test(arguments: Ground.all)
    func `of rivals exactly as many get in as there is room for`(ground: Ground) async throws {
        let policy = AdmissionPolicy(
            maxLogicalStorageBytes: 1_000_000, maxConcurrentUploadSessions: 3, maxPendingSearchJobs: 1)
        try await ground.withScene(policy) { scene in
            let statuses = await withTaskGroup(of: Int.self) { group in
                for number in 0..<12 {
                    group.addTask { await scene.open(SHA256.digest(of: Self.body(number)).hex, 100).status }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.filter { $0 == 201 }.count == 3)
            #expect(statuses.filter { $0 == 429 }.count == 9)
            let keys = try await scene.storage.keys()
            #expect(keys.count <= 3)
            #expect(try await scene.count("SELECT count(*) FROM staged_objects") == 3)
        }
    }

    @Test(arguments: Ground.all)
    func `bytes count from the opening, deduplicated ones in full, and are free after an abort`(
        ground: Ground
    ) async throws {
        let policy = AdmissionPolicy(
            maxLogicalStorageBytes: 250, maxConcurrentUploadSessions: 100, maxPendingSearchJobs: 1)
        try await ground.withScene(policy) { scene in
            try await scene.upload(Self.body(1))
            let digest = SHA256.digest(of: Self.body(1)).hex
            #expect(await scene.open(digest, 100).status == 200)
            let full = await scene.open(digest, 100)
            #expect(full.status == 429 && full["error"] == "too_many_requests")
            let session = try await scene.session(Self.body(2, 50))
            #expect(await scene.open(SHA256.digest(of: "x").hex, 1).status == 429)
            #expect(await scene.post("\(session)/abort").status == 200)
            #expect(await scene.open(SHA256.digest(of: "x").hex, 50).status == 201)
            #expect(await scene.open(SHA256.digest(of: "y").hex, .max).status == 429)
            // A policy of the tenant's own holds instead of the default.
            let tenant = scene.tenant
            try await scene.database.transaction { transaction in
                _ = try transaction.execute(
                    """
                    INSERT INTO tenant_admission_policies (tenant_id, max_logical_storage_bytes,
                        max_concurrent_upload_sessions, max_pending_search_jobs, updated_by_subject)
                    VALUES (\(tenant), 1000, 1, 1, 's')
                    """)
            }
            #expect(await scene.open(SHA256.digest(of: "z").hex, 1).status == 429)
        }
    }

    @Test(arguments: Engine.direct, Seeds.batch(of: 5))
    func `the usage that triggers keep is the usage that a count finds`(engine: Engine, seed: UInt64) async throws {
        try await engine.withDatabase { database in
            var random = SplitMix64(seed)
            let tenants = [UniqueID.random(), UniqueID.random()]
            let repos = tenants.map { ($0, UniqueID.random()) }
            let digest = SHA256.digest(of: "blob").hex
            try await database.transaction { transaction in
                for (tenant, repo) in repos {
                    try transaction.execute(
                        "INSERT INTO tenants (tenant_id, slug, name) VALUES (\(tenant), \(tenant.description), 'T')")
                    try transaction.execute(
                        "INSERT INTO repos (repo_id, tenant_id, repo_key) VALUES (\(repo), \(tenant), 'r')")
                }
                try transaction.execute(
                    "INSERT INTO blobs (digest, length_bytes, storage_key) VALUES (\(digest), 4, 'k')")
            }
            for _ in 0..<60 {
                let statement = Self.change(repos, digest, &random)
                try await database.transaction { _ = try $0.execute(statement) }
            }
            for tenant in tenants {
                let kept = try await database.lookup { try AdmissionStore.usage(of: TenantID(tenant), $0) }
                let open: SQL = "state IN ('initiated', 'parts_uploading', 'pending_commit')"
                let counted = try await database.lookup { transaction in
                    try transaction.first(
                        """
                        SELECT CAST(COALESCE(SUM(CASE WHEN \(open) OR committed_blob_digest IS NOT NULL
                                THEN expected_length ELSE 0 END), 0) AS bigint),
                            CAST(COALESCE(SUM(CASE WHEN \(open) THEN 1 ELSE 0 END), 0) AS bigint)
                        FROM upload_sessions WHERE tenant_id = \(tenant)
                        """,
                        as: {
                            AdmissionUsage(
                                logicalStorageBytes: try $0[0], activeUploadSessions: try $0[1], pendingSearchJobs: 0)
                        })
                }
                #expect(kept == counted)
            }
        }
    }

    /// A change to sessions, one or many at a time.
    private static func change(
        _ repos: [(UniqueID, UniqueID)], _ digest: String, _ random: inout SplitMix64
    ) -> SQL {
        let (tenant, repo) = repos[Int.random(in: 0..<2, using: &random)]
        let states = ["initiated", "parts_uploading", "pending_commit", "committed", "aborted"]
        let (from, to) = (states.randomElement(using: &random)!, states.randomElement(using: &random)!)
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<5:
            let blob = from == "committed" ? digest : nil
            return """
                INSERT INTO upload_sessions (upload_id, tenant_id, repo_id, expected_digest, expected_length, state,
                    committed_blob_digest, created_by_subject, expires_at)
                VALUES (\(UniqueID.random()), \(tenant), \(repo), \(digest),
                    \(Int.random(in: 0..<1000, using: &random)), \(from), \(blob), 's', \(Seeded.now))
                """
        case 5..<7:
            let blob = to == "committed" ? digest : nil
            return "UPDATE upload_sessions SET state = \(to), committed_blob_digest = \(blob) WHERE state = \(from)"
        case 7: return "UPDATE upload_sessions SET committed_blob_digest = NULL WHERE tenant_id = \(tenant)"
        case 8: return "UPDATE upload_sessions SET lease_until = \(Seeded.now)"
        default: return "DELETE FROM upload_sessions WHERE state = \(from)"
        }
    }
}

/// Seeds for random tests, always the same ones.
enum Seeds {
    static func batch(of count: UInt64) -> [UInt64] { Array(1...count) }
}

/// Sebastiano Vigna's generator: good enough, and repeatable.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var z = self.state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
