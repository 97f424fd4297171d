// Upload sessions as clients see them, without a socket: the real routes on a database and a storage of the test's own,
// with a clock that the test sets.

import API
import Cryptography
import Domain
import Foundation
import HTTP
import Identity
import Persistence
import Registry
import Storage
import Synchronization
import TestSupport
import Threads

/// A database and a storage that tests run on together.
struct Ground: Sendable, CustomStringConvertible {
    let engine: Engine
    let storage: StorageFixture

    var description: String { "\(self.engine), \(self.storage)" }

    static let all = Engine.direct.flatMap { engine in
        StorageFixture.all.map { Ground(engine: engine, storage: $0) }
    }

    func withScene(
        _ policy: AdmissionPolicy = .generous, verifies: Bool = false,
        _ body: @Sendable (UploadScene) async throws -> Void
    ) async throws {
        try await self.engine.withDatabase { database in
            try await self.storage.with { storage in
                try await body(UploadScene(database, storage, self.storage, policy, verifies: verifies))
            }
        }
    }
}

extension AdmissionPolicy {
    static let generous = AdmissionPolicy(
        maxLogicalStorageBytes: 1 << 40, maxConcurrentUploadSessions: 1000, maxPendingSearchJobs: 1000)
}

struct UploadScene: Sendable {
    let database: any Database
    let storage: any BlobStorage
    let fixture: StorageFixture
    /// Added to the machine's time, in seconds.
    private let ahead: Shift
    let tenant: TenantID
    let uploads: Uploads
    private let application: Application
    /// Of downloads.
    let failures = DownloadFailures()
    /// Writes and reads in every repository of the tenant.
    private(set) var token: String

    var clock: WallClock { WallClock { [ahead] in WallClock.system.now() + ahead.seconds } }
    func pass(seconds: Int64) { self.ahead.add(seconds) }

    static let sessionLifetime = 3600
    static let partLifetime = 900

    init(
        _ database: any Database, _ storage: any BlobStorage, _ fixture: StorageFixture, _ policy: AdmissionPolicy,
        verifies: Bool = false
    ) async throws {
        self.database = database
        self.storage = storage
        self.fixture = fixture
        let ahead = Shift()
        self.ahead = ahead
        let clock = WallClock { WallClock.system.now() + ahead.seconds }
        let owner = UniqueID.random()
        let tenant = try await database.transaction { try TenantStore.ensureDefault(at: clock.now(), $0) }
        self.tenant = tenant
        let isServedByStore =
            try storage.presignedPart(
                1, of: MultipartUpload(key: .test(), id: "x"), validFor: 60, at: clock.now()) != nil
        let signer = try await PartSigner.settle(under: [UInt8](repeating: 7, count: 32), in: database)
        self.uploads = Uploads(
            database: database, storage: storage, clock: clock, owner: owner,
            limits: UploadLimits(
                sessionLifetime: Self.sessionLifetime, partLifetime: Self.partLifetime, admission: policy),
            signer: isServedByStore ? nil : signer, hashers: BlockingPool(threads: 2))
        let failures = self.failures
        let files = FileAnswer(
            storage: storage, clock: clock,
            watch: DownloadWatch(verifiers: verifies ? BlockingPool(threads: 1) : nil) { failures.add($0) })
        let resolving = Resolving(database: database, clock: clock, defaultTenant: tenant)
        self.application = Application(
            routes: UploadRoutes(uploads: self.uploads).routes
                + BlobRoutes(resolving: resolving, files: files).routes
                + RepositoryRoutes(repositories: Repositories(database: database, clock: clock)).routes,
            authenticator: Authenticator(database: database, clock: clock), database: database, clock: clock,
            defaultTenant: tenant,
            throttle: Throttle(addressLimit: 1000, credentialLimit: 1000, windowSeconds: 60, clock: clock),
            forwarding: Forwarding(publicURL: nil, isTrusted: nil, fallback: "localhost"),
            observe: { outcome in
                if let fault = outcome.fault, !(fault is StorageFault) { print("FAULT \(outcome.status) \(fault)") }
            })
        self.token = ""
        self.token = try await self.issue(["repo:*:admin"])
        try await self.createRepository("files")
    }

    // MARK: - Who asks

    func issue(_ scopes: [String], tenant: TenantID? = nil) async throws -> String {
        let (token, now) = (UniqueID.random().hex, self.clock.now())
        guard case .token(let hash) = Credential(token: token) else { return token }
        try await self.database.transaction { [tenant = tenant ?? self.tenant] transaction in
            try TokenStore.insert(
                TokenID(.random()), tenant: tenant, subject: try Subject(parsing: "tester"), hash: hash,
                scopes: scopes.map { try Scope(parsing: $0) }, expiresAt: now + 1_000_000,
                createdBy: .bootstrap, at: now, transaction)
        }
        return token
    }

    func otherTenant() async throws -> TenantID {
        let id = TenantID(.random())
        _ = try await self.database.transaction {
            try $0.execute("INSERT INTO tenants (tenant_id, slug, name) VALUES (\(id), \(id.description), 'Other')")
        }
        return id
    }

    // MARK: - Asking

    func send(
        _ method: String, _ path: String, _ headers: [(String, String)] = [], body: [UInt8] = [], token: String? = nil
    ) async -> Answer {
        var fields: Headers = ["Host": "registry.example:8443"]
        let token = token ?? self.token
        if !token.isEmpty { fields.append("Authorization", "Bearer \(token)") }
        for (name, value) in headers { fields.append(name, value) }
        if method == "PUT" { fields.append("Content-Length", String(body.count)) }
        let response = await self.application.respond(
            to: Request(
                method: method, target: Target(path), headers: fields, remoteAddress: "127.0.0.1", isSecure: false,
                body: RequestBody(body)))
        return await Answer(response, isHead: method == "HEAD")
    }

    func post(_ path: String, _ body: JSON? = nil, token: String? = nil) async -> Answer {
        await self.send(
            "POST", path, body == nil ? [] : [("Content-Type", "application/json")], body: body?.bytes ?? [],
            token: token)
    }

    func createRepository(_ key: String, settings: JSON = [:], token: String? = nil) async throws {
        let answer = await self.post(
            "/v1/repos", ["repoKey": .string(key), "repoType": "local", "settings": settings], token: token)
        guard answer.status == 201 else { throw SceneFailure(description: "no repository: \(answer)") }
    }

    // MARK: - The client's steps

    func open(
        _ digest: String, _ length: Int, in repo: String = "files", token: String? = nil
    ) async -> Answer {
        await self.post(
            "/v1/repos/\(repo)/uploads", ["expectedDigest": .string(digest), "expectedLength": JSON(length)],
            token: token)
    }

    /// A session that is open, for `body` or for what is said of it.
    func session(
        _ body: [UInt8], digest: String? = nil, length: Int? = nil, in repo: String = "files", token: String? = nil
    ) async throws -> String {
        let answer = await self.open(
            digest ?? SHA256.digest(of: body).hex, length ?? body.count, in: repo, token: token)
        guard answer.status == 201, let id = answer["uploadId"]?.text else {
            throw SceneFailure(description: "no session: \(answer)")
        }
        return "/v1/repos/\(repo)/uploads/\(id)"
    }

    /// Puts a part where the server says.
    ///
    /// - Returns: its entity tag.
    func put(_ bytes: [UInt8], _ number: Int = 1, to session: String, token: String? = nil) async throws -> String {
        let answer = await self.post("\(session)/parts", ["partNumber": JSON(number)], token: token)
        guard answer.status == 200, let url = answer["uploadUrl"]?.text else {
            throw SceneFailure(description: "no address: \(answer)")
        }
        return try await self.put(bytes, url: url)
    }

    func put(_ bytes: [UInt8], url: String) async throws -> String {
        if url.hasPrefix("http://registry.example:8443/") {
            let answer = await self.send("PUT", String(url.dropFirst(28)), body: bytes, token: "")
            guard answer.status == 200, let tag = answer[header: "etag"] else {
                throw SceneFailure(description: "no part: \(answer)")
            }
            return tag
        }
        guard let address = URL(string: url) else { throw SceneFailure(description: "no URL: \(url)") }
        return try await HTTPPut.send(bytes, to: address)
    }

    func complete(_ session: String, _ tags: [String], token: String? = nil) async -> Answer {
        let parts = tags.enumerated().map { index, tag -> JSON in
            ["partNumber": JSON(index + 1), "eTag": .string(tag)]
        }
        return await self.post("\(session)/complete", ["parts": .array(parts)], token: token)
    }

    /// All of the steps, or the one where the caller may read the bytes already.
    @discardableResult
    func upload(_ body: [UInt8], in repo: String = "files", token: String? = nil) async throws -> String {
        let known = await self.open(SHA256.digest(of: body).hex, body.count, in: repo, token: token)
        if known.status == 200, let id = known["uploadId"]?.text { return "/v1/repos/\(repo)/uploads/\(id)" }
        guard known.status == 201, let id = known["uploadId"]?.text else { throw SceneFailure(description: "\(known)") }
        let session = "/v1/repos/\(repo)/uploads/\(id)"
        let tag = try await self.put(body, to: session, token: token)
        let completed = await self.complete(session, [tag], token: token)
        guard completed.status == 200 else { throw SceneFailure(description: "\(completed)") }
        let committed = await self.post("\(session)/commit", token: token)
        guard committed.status == 200 else { throw SceneFailure(description: "\(committed)") }
        return session
    }

    // MARK: - What is left

    func count(_ statement: SQL) async throws -> Int {
        try await self.database.lookup { try $0.first(statement, as: { try $0[0] as Int }) ?? 0 }
    }

    func state(of session: String) async throws -> UploadState {
        let id = UploadID(UniqueID(session.split(separator: "/").last ?? "") ?? .zero)
        let state = try await self.database.lookup { transaction in
            try transaction.first(
                "SELECT state FROM upload_sessions WHERE upload_id = \(id)", as: { try $0[0] as UploadState })
        }
        guard let state else { throw SceneFailure(description: "no session \(session)") }
        return state
    }

    /// Actions and details of the audit rows on a session, in order.
    func audit(of session: String) async throws -> [(action: String, details: JSON)] {
        let id = String(session.split(separator: "/").last ?? "")
        return try await self.database.lookup { transaction in
            try transaction.all(
                """
                SELECT action, details FROM audit_log WHERE resource_type = 'upload_session' AND resource_id = \(id)
                ORDER BY audit_id
                """, as: { (try $0[0] as String, try $0[1] as JSON) })
        }
    }

    /// Does what the worker does until nothing is left to do.
    func sweep() async throws {
        try await UploadExpiry(database: self.database, clock: self.clock).run()
        try await ObjectSweep(database: self.database, storage: self.storage, clock: self.clock).run()
    }

    /// Keys in the store that no blob has.
    func orphans() async throws -> [StorageKey] {
        let known = try await self.database.lookup { transaction in
            try transaction.all("SELECT storage_key FROM blobs", as: { try $0[0] as StorageKey })
        }
        return try await self.storage.keys().filter { !known.contains($0) }
    }
}

/// What was told of downloads that failed.
final class DownloadFailures: Sendable {
    private let list = Mutex<[DownloadFailure]>([])

    var causes: [DownloadFailure.Cause] { self.list.withLock { $0.map(\.cause) } }
    var all: [DownloadFailure] { self.list.withLock { $0 } }
    func add(_ failure: DownloadFailure) { self.list.withLock { $0.append(failure) } }
}

struct SceneFailure: Error, CustomStringConvertible { let description: String }

/// How far a test's clock is ahead.
final class Shift: Sendable {
    private let value = Mutex<Int64>(0)

    var seconds: Int64 { self.value.withLock { $0 } }
    func add(_ seconds: Int64) { self.value.withLock { $0 += seconds } }
}
