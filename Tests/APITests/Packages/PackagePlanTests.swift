// The statements of drafts, publishes, releases, tags, attestations and their lists use an index on 100,000 rows, on
// both databases.

import Domain
import HTTP
import Persistence
import Policy
import Storage
import TestSupport
import Testing
import Threads

@testable import Registry

@Suite struct PackagePlanTests {
    /// In a repository of its own; its blob is committed there.
    private static let number = 4711

    /// A row or so a tenant, a row made up in the statement, or the few rows of a subquery.
    private static let small: Set = [
        "d", "n", "tenants", "tenant_admission_policies", "installation", "t", "page", "used",
    ]

    private struct Scene {
        let database: ExplainingDatabase
        let clock = WallClock { Seeded.now }
        let caller: Caller
        let grant: Grant
        let resolving: Resolving

        init(_ database: ExplainingDatabase) throws {
            let tenant = TenantID(Seeded.tenant(of: PackagePlanTests.number))
            let caller = Caller(
                tenant: tenant, subject: try Subject(parsing: "s"),
                scopes: [Scope(.admin, on: try RepoKey(parsing: Seeded.repoKey(PackagePlanTests.number)))],
                source: .pat, correlation: .random())
            self.database = database
            self.caller = caller
            self.grant = try caller.grant(
                .admin, on: RepoKey(parsing: Seeded.repoKey(PackagePlanTests.number)))
            self.resolving = Resolving(database: database, clock: self.clock, defaultTenant: tenant)
        }

        /// A draft with all that a publish asks for.
        func draft(_ name: String, _ version: String) async throws -> VersionID {
            let formats = PackageFormats.standard
            let coordinate = try formats.coordinate(type: "npm", namespace: nil, name: name, version: version)
            let contents = DraftContents(database: self.database, formats: formats, clock: self.clock)
            var draft: OpenedDraft?
            for _ in 0..<2 {  // made, and taken up again
                draft = try await Drafts(formats: formats, clock: self.clock)
                    .open(coordinate, under: self.grant, commit: Commit(self.database))
            }
            let id = try #require(draft).draft.id
            let digest = try BlobDigest(parsing: Seeded.digest(PackagePlanTests.number))
            for _ in 0..<2 {
                let entry = AnnouncedEntry(
                    path: try RelativePath(parsing: "f"), digest: digest, size: PackagePlanTests.number, sha256: nil,
                    sha1: nil)
                _ = try await contents.put([entry], of: id, under: self.grant, commit: Commit(self.database))
                _ = try await contents.put(
                    ["name": "x", "version": "1"], blob: digest, of: id, under: self.grant,
                    commit: Commit(self.database))
            }
            _ = try await contents.manifest(of: id, under: self.grant)
            return id
        }
    }

    private static func checkPlans(_ database: ExplainingDatabase) {
        let plans = database.takePlans()
        #expect(plans.count > 5)
        for plan in plans {
            let scans = plan.fullScans.filter { !Self.small.contains($0) }
            #expect(scans == [], "\(plan)")
        }
    }

    /// Rules that look at everything, and let everything pass.
    private static func judge(_ database: any Database, _ clock: WallClock) throws -> PolicyJudge {
        let rules = try PolicyRules(parsing: [
            ["name": "a", "check": "attestation", "required": ["t"], "packageTypes": ["none"]],
            ["name": "b", "check": "checksum", "required": ["sha256"]],
        ])
        return PolicyJudge(
            installation: rules, server: nil, budget: PolicyBudget(.seconds(600), clock: .system),
            steadyClock: .system, database: database, clock: clock, observe: { _ in })
    }

    /// Evaluations, quarantine and promotion of a published version.
    private static func decide(
        on version: VersionID, _ judge: PolicyJudge, _ gate: PolicyGate, _ scene: Scene, _ database: any Database
    ) async throws {
        let (clock, grant) = (scene.clock, scene.grant)
        let caller = Caller(
            tenant: grant.tenant, subject: scene.caller.subject, scopes: [Scope(.admin, on: nil)], source: .pat,
            correlation: .random())
        let target = try RepoKey(parsing: "plan-\(UniqueID.random().hex)")
        let made = RepositoryDraft(key: target, kind: .local, format: nil, settings: RepositorySettings())
        _ = try await Repositories(database: database, clock: clock)
            .create(made, under: caller.tenantGrant(Role.admin), commit: Commit(database))
        let promoting = Promoting(database: database, gate: gate, quota: .unset, clock: clock)
        let promotion = try Promotion(version, from: grant.repo, to: target, by: caller)
        for _ in 0..<2 { _ = try await promoting.promote(promotion, commit: Commit(database)) }
        let evaluating = Evaluating(judge: judge, allowsDrills: false, database: database, clock: clock)
        let request = EvaluationRequest(
            action: .publish, version: version, hint: .quarantine, reason: "r", engineVersion: nil)
        let evaluation = try await evaluating.evaluate(request, under: grant, commit: Commit(database))
        let quarantining = Quarantining(database: database, clock: clock)
        for status in [nil, QuarantineStatus.quarantined] {
            _ = try await quarantining.list(
                status, after: (Seeded.now, QuarantineID(.zero)), limit: 10, under: grant)
        }
        let item = try #require(evaluation.quarantine)
        _ = try await quarantining.find(item, under: grant)
        _ = try await quarantining.resolve(item, as: .release, under: grant, commit: Commit(database))
        var filter = PolicyEvaluationStore.Filter()
        for version in [nil, version] {
            filter.version = version
            _ = try await evaluating.list(filter, limit: 10, under: grant)
        }
        _ = try await evaluating.find(evaluation.id, under: grant)
        let policies = RepositoryPolicies(installation: .none, database: database, clock: clock)
        let targetGrant = try caller.grant(.admin, on: target)
        _ = try await policies.replace(with: .none, if: { _ in true }, under: targetGrant, commit: Commit(database))
        _ = try await policies.find(under: targetGrant)
    }

    @Test(arguments: Engine.direct)
    func `writing finds its rows by an index`(engine: Engine) async throws {
        try await engine.withSeededCopy { database in
            let scene = try Scene(database)
            let (clock, grant) = (scene.clock, scene.grant)
            let name = "plan-\(UniqueID.random().hex)"  // the database is shared
            let judge = try Self.judge(database, clock)
            let gate = PolicyGate(judge: judge, database: database)
            let first = try await scene.draft(name, "1.0.0")
            let publishing = Publishing(database: database, gate: gate, clock: clock)
            for _ in 0..<2 { _ = try await publishing.publish(first, under: grant, commit: Commit(database)) }
            let releasing = Releasing(database: database, gate: gate, clock: clock)
            let set = try ReleaseSet(
                name: nil, versions: [await scene.draft(name, "2.0.0"), await scene.draft(name, "3.0.0")])
            for _ in 0..<2 {
                let plan = try await releasing.plan(set, for: scene.caller)
                _ = try await releasing.release(plan, commit: Commit(database))
            }
            try await Self.decide(on: first, judge, gate, scene, database)
            let package = try PackageFormats.standard.package(type: "npm", namespace: nil, name: name)
            let tagging = Tagging(clock: clock)
            let tag = try TagName(parsing: "stable")
            for version in ["1.0.0", "2.0.0"] {
                _ = try await tagging.move(
                    tag, of: package, to: version, if: { _ in true }, under: grant, commit: Commit(database))
            }
            _ = try await Tombstoning(clock: clock, defaultRetentionDays: 1)
                .tombstone(set.versions[0], reason: "r", days: nil, under: grant, commit: Commit(database))
            let keys = TrustedKeys(database: database, clock: clock)
            let pem = try #require(SigningSamples.keys["ed"])
            let key = try await keys.add(pem, name: "k", under: grant, commit: Commit(database)).key
            try await StorageFixture.file.with { storage in
                let staging = StagingKeys(database: database, clock: clock, owner: .random())
                let attesting = Attesting(
                    database: database, storage: storage, intake: Intake(storage: storage, keys: staging),
                    deduplication: Deduplication(
                        storage: storage, threads: BlockingPool(threads: 1), clock: clock),
                    quota: .unset, clock: clock)
                let digest = try BlobDigest(parsing: Seeded.digest(Self.number))
                // Its bytes aren't there: so it is no signature alone.
                let document = try AttestationDocument(
                    JSON.object([
                        .init("_type", "https://in-toto.io/Statement/v1"), .init("predicateType", "t"),
                        .init("subject", [["digest": ["sha256": .string(digest.hex)]]]),
                        .init("run", .string(name)),
                    ]).bytes)
                let attested = try await attesting.attest(
                    document, mustVerify: false, of: first, under: grant, commit: Commit(database))
                _ = try await database.transaction { transaction in
                    try AttestationStore.sign(attested.attestation.id, with: [key.id], at: Seeded.now, transaction)
                }
            }
            _ = try await keys.remove(key.id, under: grant, commit: Commit(database))
            Self.checkPlans(database)
        }
    }

    @Test(arguments: Engine.direct)
    func `reading finds its rows by an index`(engine: Engine) async throws {
        try await engine.withSeededDatabase { database in
            let scene = try Scene(database)
            let version = VersionID(Seeded.id(.version, Self.number))
            let package = PackageID(Seeded.id(.package, Self.number))
            let (repo, tenant) = (RepoID(Seeded.id(.repo, 1)), scene.caller.tenant)
            try await database.read { transaction in
                _ = try VersionStore.require(version, in: scene.grant.repo, of: tenant, transaction)
                _ = try VersionStore.circumstances(of: version, transaction)
                _ = try VersionStore.latest(of: package, transaction)
                _ = try VersionStore.find("1", of: package, transaction)
                _ = try VersionStore.retention(of: version, transaction)
                _ = try VersionContentStore.entries(of: version, after: nil, limit: 10, transaction)
                _ = try VersionContentStore.manifest(of: version, transaction)
                for position in [nil, (sortKey: [UInt8](), id: version)] {
                    for descending in [true, false] {
                        _ = try VersionStore.page(
                            of: package, after: position, descending: descending, limit: 10, transaction)
                    }
                }
                for filter in [PackageStore.Filter(), .init(type: "generic"), .init(type: "generic", namespace: "")] {
                    for position in [nil, PackageName(type: "generic", name: "p5")] {
                        _ = try PackageStore.page(filter, in: repo, after: position, limit: 10, transaction)
                    }
                }
                for path in ["none", "none/of/these"] {
                    try FilePaths.check(RelativePath(parsing: path), in: repo, transaction)
                    _ = try FilePaths.isFolder(path, in: repo, transaction)
                }
                _ = try TagStore.page(of: package, after: nil, limit: 10, transaction)
                _ = try TagStore.history(of: "head", of: package, before: nil, limit: 10, transaction)
                _ = try TagStore.history(of: "head", of: package, before: 500, limit: 10, transaction)
                _ = try EventStore.bounds(of: repo, transaction)
                _ = try EventStore.page(of: repo, after: 500, limit: 10, transaction)
                _ = try RetiredCoordinateStore.page(of: repo, after: nil, limit: 10, transaction)
                _ = try AttestationStore.attestations(of: version, transaction)
                _ = try AttestationStore.attestations(
                    of: version, only: AttestationID(Seeded.id(.attestation, Self.number)), transaction)
                for type in [nil, "t"] { _ = try AttestationStore.isAttested(version, as: type, transaction) }
                _ = try TrustedKeyStore.keys(of: RepoID(Seeded.repo(of: Self.number)), transaction)
                _ = try ReleaseStore.find(ReleaseID(Seeded.id(.release, Self.number)), of: tenant, transaction)
                for keys in [nil, [scene.grant.repo]] {
                    for position in [nil, ReleaseID(Seeded.id(.release, Self.number))] {
                        _ = try ReleaseStore.page(of: tenant, in: keys, before: position, limit: 10, transaction)
                    }
                }
            }
            Self.checkPlans(database)
        }
    }

    @Test(arguments: Engine.direct)
    func `reading through a virtual repository finds its rows by an index`(engine: Engine) async throws {
        try await engine.withSeededDatabase { database in
            let scene = try Scene(database)
            let token = Credential.token(hash: Seeded.digest(Self.number))
            for key in [Seeded.virtualKey(Self.number), Seeded.repoKey(Self.number)] {
                let repo = try RepoKey(parsing: key)
                let request = FileRequest(generic: try RelativePath(parsing: "p"))
                _ = try? await scene.resolving.file(request, in: repo, for: token, correlation: .random())
                _ = try? await scene.resolving.blob(
                    BlobDigest(parsing: Seeded.digest(Self.number)), in: repo, for: token, correlation: .random())
                _ = try? await scene.resolving.scope(of: repo, for: token, correlation: .random())
            }
            let packages = [Self.number, Self.number + 100].map { PackageID(Seeded.id(.package, $0)) }
            let repos = [Self.number, Self.number + 100].map { RepoID(Seeded.repo(of: $0)) }
            let name = PackageName(type: "generic", name: Seeded.packageName(Self.number))
            try await database.read { transaction in
                _ = try PackageStore.find(name, in: repos, transaction)
                for descending in [true, false] {
                    _ = try VersionStore.page(
                        ofEach: packages, after: nil, descending: descending, limit: 10, transaction)
                }
                _ = try PackageStore.page(.init(), in: repos, after: nil, limit: 10, transaction)
                _ = try TagStore.page(ofEach: packages, after: nil, limit: 10, transaction)
                for match in SearchMatch.allCases {
                    _ = try SearchStore.page(
                        SearchRequest("p4711", match: match), in: SearchPlace(repos), limit: 10, offset: 0,
                        countsTypes: true, transaction)
                }
            }
            let listing = DirectoryListing(database: database)
            let caller = Caller(
                tenant: scene.caller.tenant, subject: scene.caller.subject, scopes: [Scope(.admin, on: nil)],
                source: .pat, correlation: .random())
            let grant = try caller.grant(.read, on: RepoKey(parsing: Seeded.virtualKey(Self.number)))
            let scope = try await database.read { try ReadableScope.find(under: grant, at: Seeded.now, $0) }
            #expect(scope.members.map(\.id) == repos)
            _ = try await listing.page(of: "", after: nil, in: scope)
            let plans = database.takePlans()
            // What was counted or chosen is no table.
            let parts = Self.small.union(["c", "newest", "named", "chosen", "f", "found"])
            for plan in plans { #expect(plan.fullScans.filter { !parts.contains($0) } == [], "\(plan)") }
            #expect(plans.count > 15)
        }
    }
}
