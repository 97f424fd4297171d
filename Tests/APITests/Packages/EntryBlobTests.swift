// Which blobs a draft's entry may have: those that its repository shows in any way.

import Cryptography
import Domain
import HTTP
import Persistence
import TestSupport
import Testing

@testable import artifortress

@Suite struct EntryBlobTests {
    private static func attach(
        _ bytes: [UInt8], as name: String, _ server: Installation, _ token: String
    ) async throws -> (version: String, answer: Answer) {
        let version = try await server.draft(name, token: token)
        let answer = try await server.putEntry(
            "file.bin", SHA256.digest(of: bytes), length: bytes.count, of: version, token: token)
        return (version, answer)
    }

    @Test(arguments: Engine.direct)
    func `an entry may have any blob that its repository shows`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.token()
            for repo in ["pkgs", "elsewhere"] { try await server.createRepository(repo, token: token) }
            let path = Array("published by its path".utf8)
            #expect(try await server.put("/generic/pkgs/dir/file", path, token: token).status == 201)
            let version = try await server.published("kit", token: token)
            let entry = Array("content".utf8)
            _ = try await server.database.transaction { transaction in  // only the version shows it now
                try transaction.execute("DELETE FROM upload_sessions WHERE repo_id IS NOT NULL")
            }
            let subject = SHA256.digest(of: entry)
            let attestation = JSON.object([
                .init("_type", "https://in-toto.io/Statement/v1"), .init("predicateType", "https://example.org/t"),
                .init("subject", [["name": "f", "digest": ["sha256": .string(subject.hex)]]]),
            ]).bytes
            let attested = try await server.put(
                "/v1/repos/pkgs/packages/versions/\(version)/attestations", attestation, token: token)
            #expect(attested.status == 201, "\(attested.text)")

            for (index, bytes) in [path, entry, attestation].enumerated() {
                let (draft, answer) = try await Self.attach(bytes, as: "user-\(index)", server, token)
                #expect(answer.status == 200, "\(index): \(answer.text)")
                let manifest = try await server.send(
                    "PUT", "/v1/repos/pkgs/packages/versions/\(draft)/manifest", token: token,
                    [
                        "manifest": ["name": .string("user-\(index)"), "version": "1.0.0"],
                        "manifestBlobDigest": .string(SHA256.digest(of: bytes).hex),
                    ])
                #expect(manifest.status == 200, "\(index): \(manifest.text)")
                let published = try await server.publish(draft, token: token)
                #expect(published.status == 200, "\(index): \(published.text)")
            }
        }
    }

    @Test(arguments: Engine.direct)
    func `an entry may not have a blob that its repository does not show`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.token()
            for repo in ["pkgs", "elsewhere"] { try await server.createRepository(repo, token: token) }
            let other = Array("published in another repository".utf8)
            #expect(try await server.put("/generic/elsewhere/file", other, token: token).status == 201)
            #expect(try await Self.attach(other, as: "a", server, token).answer.status == 409)

            let hidden = Array("in quarantine".utf8)
            #expect(try await server.put("/generic/pkgs/hidden", hidden, token: token).status == 201)
            let digest = SHA256.digest(of: hidden)
            try await server.setQuarantine("quarantined", ofVersionWith: digest)
            #expect(try await Self.attach(hidden, as: "b", server, token).answer.status == 409)
            try await server.setQuarantine("released", ofVersionWith: digest)
            #expect(try await Self.attach(hidden, as: "c", server, token).answer.status == 200)
        }
    }
}

extension Installation {
    /// Puts the version that has the digest into quarantine, or decides on it.
    fileprivate func setQuarantine(_ status: String, ofVersionWith digest: BlobDigest) async throws {
        _ = try await self.database.transaction { transaction in
            try transaction.execute(
                """
                INSERT INTO quarantine_items (tenant_id, repo_id, version_id, status)
                SELECT v.tenant_id, v.repo_id, v.version_id, \(status) FROM package_versions v
                JOIN artifact_entries e ON e.version_id = v.version_id WHERE e.blob_digest = \(digest)
                ON CONFLICT (version_id) DO UPDATE SET status = excluded.status
                """)
        }
    }
}
