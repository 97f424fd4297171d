// The statements of uploads and blob reads use an index on 100,000 rows of everything, on both databases.

import Domain
import HTTP
import Persistence
import Registry
import Storage
import TestSupport
import Testing
import Threads

@Suite struct PlanTests {
    private static let number = 4712  // in the first repository; tenant 12

    /// Tables of a row a tenant, and the one row that stands for the default tenant.
    private static let small: Set = ["d", "tenants", "tenant_usage_slots", "tenant_admission_policies", "installation"]

    private static func caller(_ scopes: [Scope]) throws -> Caller {
        Caller(
            tenant: TenantID(Seeded.tenant(of: Self.number)), subject: try Subject(parsing: "s"), scopes: scopes,
            source: .pat, correlation: .random())
    }

    @Test(arguments: Engine.direct)
    func `every statement finds its rows by an index`(engine: Engine) async throws {
        try await engine.withSeededCopy { database in
            try await StorageFixture.file.with { storage in
                let clock = WallClock { Seeded.now }
                let uploads = Uploads(
                    database: database, storage: storage, clock: clock, owner: .random(),
                    limits: UploadLimits(sessionLifetime: 60, partLifetime: 60, admission: .generous),
                    signer: try await PartSigner.settle(under: [UInt8](repeating: 1, count: 32), in: database),
                    hashers: BlockingPool(threads: 1))
                let key = try RepoKey(parsing: Seeded.repoKey(12))
                let all = try Self.caller([Scope(.admin, on: nil)]).grant(.write, on: key)
                let some = try Self.caller([Scope(.write, on: key)]).grant(.write, on: key)
                for grant in [all, some] {
                    let known = try UploadDraft(
                        expectedDigest: BlobDigest(parsing: Seeded.digest(4712)), expectedLength: 4712)
                    _ = try await uploads.open(known, under: grant, commit: Commit(database))
                    let fresh = try UploadDraft(
                        expectedDigest: BlobDigest(parsing: String(repeating: "f", count: 64)), expectedLength: 3)
                    let session = try await uploads.open(fresh, under: grant, commit: Commit(database))
                    _ = try await uploads.address(
                        of: 1, of: session.id, baseURL: "", under: grant, commit: Commit(database))
                    _ = try await uploads.find(session.id, under: grant)
                    let part = try await storage.putPart(
                        1, of: #require(session.upload), .init([1, 2, 3]), limit: 3)
                    _ = try await uploads.complete(session.id, [part], under: grant, commit: Commit(database))
                    _ = try await uploads.commit(session.id, under: grant, commit: Commit(database))
                    _ = try await uploads.abort(
                        uploads.open(fresh, under: grant, commit: Commit(database)).id, reason: "r", under: grant,
                        commit: Commit(database))
                }
                // The object of the known digest is not there, so the fast path asked for the bytes.
                let known = try BlobDigest(parsing: Seeded.digest(4712))
                _ = try await database.transaction { transaction in
                    let found = try BlobStore.find(known, transaction)
                    let inspection = ObjectInspection(
                        key: try #require(found).blob.storageKey, damage: nil, verifiedAt: Seeded.now)
                    _ = try #require(try BlobStore.refer(to: known, after: inspection, at: Seeded.now, transaction))
                }
                let resolving = Resolving(
                    database: database, clock: clock, defaultTenant: TenantID(Seeded.tenant(of: Self.number)))
                _ = try? await resolving.blob(
                    BlobDigest(parsing: Seeded.digest(Self.number)), in: key, for: Credential(token: "none"),
                    correlation: .random())
                _ = try await UploadExpiry(database: database, clock: clock).run()
            }
            let plans = database.takePlans()
            for plan in plans {
                #expect(plan.fullScans.filter { !Self.small.contains($0) } == [], "\(plan)")
                let walksRepository = plan.lines.contains { $0.contains("package_versions_repo") }
                #expect(!walksRepository, "\(plan)")
            }
            #expect(plans.count > 40)
        }
    }
}
