// What tests of policies do: lay down rules, evaluate, promote, decide.

import Domain
import Registry
import TestSupport
import Testing

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
}
