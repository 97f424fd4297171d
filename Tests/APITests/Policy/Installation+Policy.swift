// What tests of policies do: lay down rules, evaluate, promote, decide.

import Domain
import Persistence
import Registry
import TestSupport
import Testing
import Threads

@testable import artifortress

extension Installation {
    func setRules(_ rules: JSON, of repo: String = "pkgs", token: String) async throws {
        let answer = try await self.send("PUT", "/v1/repos/\(repo)/policy", token: token, ["rules": rules])
        try #require(answer.status == 200, "\(answer.status) \(answer.text)")
    }

    func evaluate(
        _ version: String, _ action: String = "publish", hint: String? = nil, reason: String = "by hand",
        engine: String? = nil, in repo: String = "pkgs", token: String
    ) async throws -> Answer {
        try await self.send(
            "POST", "/v1/repos/\(repo)/policy/evaluations", token: token,
            [
                "action": .string(action), "versionId": .string(version), "decisionHint": JSON(hint),
                "reason": .string(reason), "policyEngineVersion": JSON(engine),
            ])
    }

    func evaluations(_ query: String = "", in repo: String = "pkgs", token: String) async throws -> [JSON] {
        let answer = try await self.send("GET", "/v1/repos/\(repo)/policy/evaluations?\(query)", token: token)
        return try #require(answer.json["items"]?.elements, "\(answer.status) \(answer.text)")
    }

    /// One of them, with what each rule said.
    func details(of evaluation: JSON, in repo: String = "pkgs", token: String) async throws -> JSON? {
        let number = try #require(evaluation["evaluationId"]?.integer)
        let path = "/v1/repos/\(repo)/policy/evaluations/\(number)"
        return try await self.send("GET", path, token: token).json["details"]
    }

    func resolve(_ item: String, _ decision: String, in repo: String = "pkgs", token: String) async throws -> Answer {
        try await self.send("POST", "/v1/repos/\(repo)/quarantine/\(item)/\(decision)", token: token)
    }

    func promote(
        _ version: String, from repo: String = "pkgs", to target: String, token: String, key: String? = nil
    ) async throws -> Answer {
        try await self.send(
            "POST", "/v1/repos/\(repo)/packages/versions/\(version)/promote", token: token, key: key,
            ["targetRepo": .string(target)])
    }

    func state(of version: String, in repo: String = "pkgs", token: String) async throws -> JSON? {
        try await self.send("GET", "/v1/repos/\(repo)/packages/versions/\(version)", token: token).json["state"]
    }

    func eventTypes(in repo: String = "pkgs", token: String) async throws -> [String] {
        let feed = try await self.send("GET", "/v1/repos/\(repo)/events?wait=0", token: token)
        return try #require(feed.json["events"]?.elements).compactMap { $0["type"]?.text }
    }

    /// Lets a repository trust a key; the same one each time.
    func trustKey(in repo: String, token: String) async throws {
        let pem = try #require(SigningSamples.keys["ed"])
        let answer = try await self.send(
            "POST", "/v1/repos/\(repo)/trusted-keys", token: token, ["name": "k", "publicKey": .string(pem)])
        try #require(answer.status == 201, "\(answer.text)")
    }

    /// What an attestation of a version's file leaves in the database, signed by every key that a repository trusts.
    /// (AttestationRouteTests make real ones.)
    func attest(_ version: String, as predicateType: String, signedByKeysOf repo: String) async throws {
        let (id, attestation, now) = (try self.version(version), UniqueID.random(), self.serving.clock.now())
        try await self.database.transaction { transaction in
            for statement in [
                """
                INSERT INTO attestations (attestation_id, version_id, kind, blob_digest, signed_digest,
                    predicate_type, added_by_subject, added_at)
                SELECT \(attestation), \(id), 'dsse', blob_digest, '', \(predicateType), 't', \(now)
                FROM artifact_entries WHERE version_id = \(id)
                """,
                """
                INSERT INTO attestation_subjects (attestation_id, digest)
                SELECT \(attestation), blob_digest FROM artifact_entries WHERE version_id = \(id)
                """,
                """
                INSERT INTO attestation_signers (attestation_id, key_id, verified_at)
                SELECT \(attestation), k.key_id, \(now) FROM repo_trusted_keys k
                JOIN repos r ON r.repo_id = k.repo_id WHERE r.repo_key = \(repo)
                """,
            ] as [SQL] { try transaction.execute(statement) }
        }
    }
}
