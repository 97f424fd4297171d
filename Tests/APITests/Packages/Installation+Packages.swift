// What tests of packages begin with: repositories, blobs that are committed there, drafts that are complete.

import Domain
import HTTP
import Persistence
import Registry
import TestSupport
import Testing
import Threads

@testable import artifortress

extension Installation {
    func createRepository(_ key: String, settings: JSON = [:], token: String) async throws {
        let answer = try await self.send(
            "POST", "/v1/repos", token: token,
            ["repoKey": .string(key), "repoType": "local", "settings": settings])
        try #require(answer.status == 201, "\(answer.status) \(answer.text)")
    }

    /// Stores bytes and commits them in a repository, as an upload session does.
    @discardableResult
    func commit(_ bytes: [UInt8], in repo: String) async throws -> BlobDigest {
        let intake = Intake(storage: self.serving.storage, keys: self.serving.stagingKeys)
        let received = try await intake.receive(RequestBody(bytes))
        let (key, now) = (try RepoKey(parsing: repo), self.serving.clock.now())
        let tenant = self.deployment.defaultTenant
        return try await self.serving.deduplication.run(admitting: received.key) { inspection in
            try await self.database.transaction { transaction in
                let repository = try RepositoryStore.require(key, of: tenant, transaction)
                let blob = try BlobStore.admit(
                    received.digest, length: received.length, key: received.key, checksums: received.checksums,
                    after: inspection, at: now, transaction
                ).blob
                try Self.insertSession(of: blob, in: repository, at: now, transaction)
                return blob.digest
            }
        }
    }

    private static func insertSession(
        of blob: Blob, in repository: Repository, at now: Timestamp, _ transaction: borrowing Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO upload_sessions (upload_id, tenant_id, repo_id, expected_digest, expected_length, state,
                committed_blob_digest, created_by_subject, expires_at, committed_at)
            VALUES (\(UniqueID(at: now)), \(repository.tenant), \(repository.id), \(blob.digest), \(blob.length),
                'committed', \(blob.digest), 'tester', \(now), \(now))
            """)
    }

    /// A draft's id.
    func draft(
        _ name: String, _ version: String = "1.0.0", type: String = "npm", namespace: String? = nil,
        in repo: String = "pkgs", token: String
    ) async throws -> String {
        let answer = try await self.send(
            "POST", "/v1/repos/\(repo)/packages/versions/drafts", token: token,
            [
                "packageType": .string(type), "packageNamespace": JSON(namespace), "packageName": .string(name),
                "version": .string(version),
            ])
        return try #require(answer.json["versionId"]?.text, "\(answer.status) \(answer.text)")
    }

    func putEntry(
        _ path: String, _ digest: BlobDigest, length: Int, of version: String, in repo: String = "pkgs", token: String
    ) async throws -> Answer {
        try await self.send(
            "POST", "/v1/repos/\(repo)/packages/versions/\(version)/entries", token: token,
            [
                "entries": [
                    ["relativePath": .string(path), "blobDigest": .string(digest.hex), "sizeBytes": JSON(length)]
                ]
            ])
    }

    func putManifest(
        _ manifest: JSON, of version: String, in repo: String = "pkgs", token: String
    ) async throws -> Answer {
        try await self.send(
            "PUT", "/v1/repos/\(repo)/packages/versions/\(version)/manifest", token: token, ["manifest": manifest])
    }

    /// A draft with one entry and a manifest: all that a publish asks for.
    func completeDraft(
        _ name: String, _ version: String = "1.0.0", type: String = "npm", namespace: String? = nil,
        bytes: [UInt8] = Array("content".utf8), in repo: String = "pkgs", token: String
    ) async throws -> String {
        let digest = try await self.commit(bytes, in: repo)
        let id = try await self.draft(name, version, type: type, namespace: namespace, in: repo, token: token)
        let entry = try await self.putEntry("file.bin", digest, length: bytes.count, of: id, in: repo, token: token)
        try #require(entry.status == 200, "\(entry.text)")
        let manifest = try await self.putManifest(
            ["name": .string(name), "version": .string(version), "id": .string(name)], of: id, in: repo, token: token)
        try #require(manifest.status == 200, "\(manifest.text)")
        return id
    }

    func publish(_ version: String, in repo: String = "pkgs", token: String) async throws -> Answer {
        try await self.send("POST", "/v1/repos/\(repo)/packages/versions/\(version)/publish", token: token)
    }

    @discardableResult
    func published(
        _ name: String, _ version: String = "1.0.0", type: String = "npm", namespace: String? = nil,
        bytes: [UInt8] = Array("content".utf8), in repo: String = "pkgs", token: String
    ) async throws -> String {
        let id = try await self.completeDraft(
            name, version, type: type, namespace: namespace, bytes: bytes, in: repo, token: token)
        let answer = try await self.publish(id, in: repo, token: token)
        try #require(answer.status == 200, "\(answer.text)")
        return id
    }

    /// A repository `pkgs`, and a token for everything.
    func withPackages() async throws -> String {
        let token = try await self.token()
        try await self.createRepository("pkgs", token: token)
        return token
    }

    /// What is left of a published version that was deleted for good: its coordinate.
    func retire(_ name: String, _ version: String, namespace: String? = nil, in repo: String = "pkgs") async throws {
        let package = PackageName(type: "npm", namespace: namespace, name: name)
        let collector = try Subject(parsing: "collector")
        try await self.database.transaction { [now = self.serving.clock.now()] transaction in
            let id = try transaction.first(
                "SELECT repo_id FROM repos WHERE repo_key = \(repo)", as: { try $0[0] as RepoID })
            try RetiredCoordinateStore.retire(
                Coordinate(package, version: version, sortKey: []), in: try #require(id), by: collector, at: now,
                transaction)
        }
    }

    /// Runs one statement.
    func execute(_ statement: SQL) async throws {
        try await self.database.transaction { _ = try $0.execute(statement) }
    }
}

extension JSON {
    /// The members that are text, by name.
    var texts: [String: String] {
        Dictionary((self.members ?? []).compactMap { member in member.value.text.map { (member.name, $0) } }) { $1 }
    }
}
