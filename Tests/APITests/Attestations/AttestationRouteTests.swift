// Attestations, signatures alone, and the keys that a repository trusts.

import Cryptography
import Domain
import HTTP
import Persistence
import TestSupport
import Testing

@testable import artifortress

@Suite struct AttestationRouteTests {
    private static let keys = "/v1/repos/pkgs/trusted-keys"
    private static let provenance = "https://slsa.dev/provenance/v1"

    private static func path(_ version: String) -> String {
        "/v1/repos/pkgs/packages/versions/\(version)/attestations"
    }

    private static func envelope(_ signatures: [(key: String?, signature: String)]) -> [UInt8] {
        JSON.object([
            .init("payloadType", "application/vnd.in-toto+json"),
            .init("payload", .string(Base64.encode(Array(SigningSamples.statement.utf8)))),
            .init(
                "signatures",
                .array(signatures.map { ["keyid": JSON($0.key), "sig": .string($0.signature)] })),
        ]).bytes
    }

    private static func signature(_ scheme: String) throws -> String {
        try #require(SigningSamples.ofStatement.first { $0.scheme == scheme }).signature
    }

    private static func trust(
        _ name: String, _ server: Installation, _ token: String
    ) async throws -> String {
        let pem = try #require(SigningSamples.keys[name])
        let added = try await server.send(
            "POST", Self.keys, token: token, ["name": .string(name), "publicKey": .string(pem)])
        return try #require(added.json["keyId"]?.text, "\(added.text)")
    }

    private static func put(
        _ bytes: [UInt8], _ version: String, _ server: Installation, _ token: String, query: String = ""
    ) async throws -> Answer {
        try await server.send(
            "PUT", Self.path(version) + query, headers: [("Authorization", "Bearer \(token)")], body: bytes)
    }

    @Test(arguments: Engine.direct)
    func `keys are added once, listed, removed, and audited`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let pem = try #require(SigningSamples.keys["p256"])
            let body: JSON = ["name": "release", "publicKey": .string("\n\(pem)\n")]
            let added = try await server.send("POST", Self.keys, token: token, body)
            let id = try #require(added.json["keyId"]?.text, "\(added.text)")
            #expect(added.status == 201 && added.headers["location"] == "\(Self.keys)/\(id)")
            #expect(added.json["algorithm"] == "ecdsa-p256" && added.json["name"] == "release")
            #expect(try added.json["fingerprint"]?.text == PublicKey(pem: pem).fingerprint)
            let again = try await server.send("POST", Self.keys, token: token, body)
            #expect(again.status == 200 && again.json == added.json)
            let listed = try await server.send("GET", Self.keys, token: token)
            #expect(listed.json["items"]?.elements == [added.json])
            for (name, text) in [("", pem), ("x", ""), ("x", "no key"), ("x", SigningSamples.keys["rsa1024"]!)] {
                let bad = try await server.send(
                    "POST", Self.keys, token: token, ["name": .string(name), "publicKey": .string(text)])
                #expect(bad.status == 400, "\(bad.text)")
            }
            let writer = try await server.token(["repo:pkgs:write", "repo:pkgs:promote"], subject: "writer")
            #expect(try await server.send("GET", Self.keys, token: writer).status == 403)
            #expect(try await server.send("POST", Self.keys, token: writer, body).status == 403)
            #expect(try await server.send("DELETE", "\(Self.keys)/\(id)", token: writer).status == 403)
            let removed = try await server.send("DELETE", "\(Self.keys)/\(id)", token: token)
            #expect(removed.status == 200 && removed.json["removed"] == true)
            #expect(try await server.send("DELETE", "\(Self.keys)/\(id)", token: token).status == 404)
            let anew = try await server.send("POST", Self.keys, token: token, body)
            #expect(anew.status == 201 && anew.json["keyId"]?.text != id, "trusted again, as another row")
            let actions = try await server.audit(token, "resourceType=trusted_key").map { $0["action"]?.text }
            #expect(actions == ["repo.trusted_key.added", "repo.trusted_key.removed", "repo.trusted_key.added"])
        }
    }

    @Test(arguments: Engine.direct)
    func `an envelope by a trusted key is verified, before and after the publish`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.completeDraft("p", token: token)
            var signatures: [String: String] = [:]
            for scheme in ["ed", "p256", "p256row", "p384", "rsa", "pss"] {
                signatures[scheme] = try Self.signature(scheme)
            }
            let (ed, rsa) = (try #require(signatures["ed"]), try #require(signatures["rsa"]))
            let early = try await Self.put(Self.envelope([(nil, ed)]), id, server, token)
            #expect(early.status == 201 && early.json["verified"] == false)
            #expect(early.json["verification"] == "untrusted" && early.json["verifiedBy"] == [])
            #expect(early.json["kind"] == "dsse" && early.json["relativePaths"] == ["file.bin"])
            #expect(early.json["predicateType"]?.text == Self.provenance)
            // The same again, once the key is trusted: the same attestation, verified now.
            let key = try await Self.trust("ed", server, token)
            let verified = try await Self.put(Self.envelope([(nil, ed)]), id, server, token)
            #expect(verified.status == 200 && verified.json["attestationId"] == early.json["attestationId"])
            #expect(verified.json["verified"] == true && verified.json["verification"] == "verified")
            #expect(verified.json["verifiedBy"]?.elements?.map { $0["keyId"]?.text } == [key])

            #expect(try await server.publish(id, token: token).status == 200)
            for name in ["p256", "p384", "rsa"] { _ = try await Self.trust(name, server, token) }
            for scheme in ["p256", "p256row", "p384", "rsa", "pss"] {
                let late = try await Self.put(
                    Self.envelope([(nil, #require(signatures[scheme]))]), id, server, token, query: "?mustVerify=true")
                #expect(late.status == 201 && late.json["verified"] == true, "\(scheme): \(late.text)")
            }
            let both = try await Self.put(Self.envelope([("a", ed), ("b", rsa)]), id, server, token)
            #expect(both.json["verifiedBy"]?.elements?.count == 2)

            // Shown with the version, by id and by coordinate; and its bytes as they came.
            let listed = try await server.send("GET", Self.path(id), token: token)
            #expect(listed.json["items"]?.elements?.count == 7)
            for path in ["versions/\(id)", "npm/p/versions/1.0.0"] {
                let view = try await server.send("GET", "/v1/repos/pkgs/packages/\(path)", token: token)
                #expect(view.json["attestations"] == listed.json["items"], "\(path): \(view.text)")
            }
            let one = try #require(early.json["attestationId"]?.text)
            let shown = try await server.send("GET", "\(Self.path(id))/\(one)", token: token)
            #expect(shown.status == 200 && shown.json["digest"] == early.json["digest"])
            let document = try await server.send("GET", "\(Self.path(id))/\(one)/document", token: token)
            #expect(document.body == Self.envelope([(nil, ed)]))
            #expect(document.headers["content-type"] == "application/vnd.dsse.envelope.v1+json")

            // What only a removed key has signed counts no more, at once.
            _ = try await server.send("DELETE", "\(Self.keys)/\(key)", token: token)
            let after = try await server.send("GET", "\(Self.path(id))/\(one)", token: token)
            #expect(after.json["verified"] == false && after.json["verification"] == "untrusted")
            let actions = try await server.audit(token, "resourceType=package_version&resourceId=\(id)")
                .compactMap { $0["action"]?.text }
            #expect(actions.count { $0 == "package.version.attested" } == 7)
            #expect(actions.count { $0 == "package.version.attestation.verified" } == 1)
        }
    }

    @Test(arguments: Engine.direct)
    func `what is no fit attestation is refused, and leaves nothing`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.published("p", token: token)
            let other = try await server.published("q", bytes: [1, 2, 3], token: token)
            let key = try await Self.trust("ed", server, token)
            let (ed, p256) = (try Self.signature("ed"), try Self.signature("p256"))
            let blobs = try await server.count("blobs")
            for text in [
                "", "x", "[]", "{}", #"{"_type":"x"}"#, #"{"payloadType":"a","payload":"e30","signatures":[]}"#,
            ] {
                #expect(try await Self.put(Array(text.utf8), id, server, token).status == 400, "\(text)")
            }
            let foreign = try await Self.put(Self.envelope([(nil, ed)]), other, server, token)
            #expect(foreign.status == 409 && foreign.error == "subject_mismatch")
            let forged = try await Self.put(Self.envelope([(key, p256)]), id, server, token)
            #expect(forged.status == 422 && forged.error == "signature_invalid" && forged.json["keyId"]?.text == key)
            let unsure = try await Self.put(Self.envelope([(nil, p256)]), id, server, token, query: "?mustVerify=true")
            #expect(unsure.status == 422 && unsure.error == "signature_invalid")
            #expect(try await server.count("attestations") == 0)
            #expect(try await server.count("blobs") == blobs)

            let reader = try await server.token(["repo:pkgs:read"], subject: "reader")
            #expect(try await Self.put(Self.envelope([(nil, ed)]), id, server, reader).status == 403)
            #expect(try await server.send("GET", Self.path(id), token: reader).status == 200)
            let none = UniqueID.random().description
            #expect(try await Self.put(Self.envelope([(nil, ed)]), none, server, token).status == 404)
            #expect(try await server.send("GET", "\(Self.path(id))/\(none)", token: token).status == 404)
            let tombstone = "/v1/repos/pkgs/packages/versions/\(id)/tombstone"
            _ = try await server.send("POST", tombstone, token: token, ["reason": "old"])
            #expect(try await Self.put(Self.envelope([(nil, ed)]), id, server, token).status == 409)
        }
    }

    @Test(arguments: Engine.direct)
    func `a statement alone is kept as unsigned, a signature alone is verified over the file`(
        engine: Engine
    ) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.published("p", token: token)
            for name in ["ed", "p256", "p384", "rsa"] { _ = try await Self.trust(name, server, token) }
            let unsigned = try await Self.put(Array(SigningSamples.statement.utf8), id, server, token)
            #expect(unsigned.status == 201 && unsigned.json["verified"] == false)
            #expect(unsigned.json["kind"] == "in_toto" && unsigned.json["verification"] == "unsigned")
            let digest = SHA256.digest(of: SigningSamples.content).hex
            for (scheme, _, text) in SigningSamples.ofContent {
                let raw = try #require(Base64.decode(text))
                let put = try await Self.put(raw, id, server, token, query: "?subject=\(digest)")
                #expect(put.status == 201 && put.json["verified"] == true, "\(scheme): \(put.text)")
                #expect(put.json["kind"] == "signature" && put.json["predicateType"] == .null)
            }
            let (_, _, text) = SigningSamples.ofContent[1]
            let armoured = try await Self.put(Array("\(text)\n".utf8), id, server, token, query: "?subject=\(digest)")
            #expect(armoured.status == 201 && armoured.json["verified"] == true, "as tools write it")
            let wrong = try await Self.put([1, 2, 3], id, server, token, query: "?subject=\(digest)")
            #expect(wrong.status == 201 && wrong.json["verified"] == false && wrong.json["verification"] == "untrusted")
            let strange = try await Self.put([1], id, server, token, query: "?subject=\(BlobDigest.ofNothing)")
            #expect(strange.status == 409 && strange.error == "subject_mismatch")
            #expect(try await Self.put([1], id, server, token, query: "?subject=x").status == 400)
        }
    }

    @Test(arguments: Engine.direct)
    func `a policy is told of a version only where every file is attested by a trusted key`(
        engine: Engine
    ) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.completeDraft("p", token: token)
            let version = VersionID(try #require(UniqueID(id)))
            func isAttested(_ type: String?) async throws -> Bool {
                try await server.database.lookup { try AttestationStore.isAttested(version, as: type, $0) }
            }
            let envelope = Self.envelope([(nil, try Self.signature("ed"))])
            _ = try await Self.put(envelope, id, server, token)
            #expect(try await !isAttested(Self.provenance), "nobody trusts the key")
            let key = try await Self.trust("ed", server, token)
            #expect(try await !isAttested(Self.provenance), "and nobody has verified it since")
            _ = try await Self.put(envelope, id, server, token)
            #expect(try await isAttested(Self.provenance))
            #expect(try await isAttested(nil))
            #expect(try await !isAttested("https://spdx.dev/Document"))
            let more = try await server.commit([9], in: "pkgs")
            _ = try await server.putEntry("more", more, length: 1, of: id, token: token)
            #expect(try await !isAttested(Self.provenance), "one file is not covered")
            let replaced = try await server.commit(SigningSamples.content, in: "pkgs")
            _ = try await server.putEntry("more", replaced, length: 7, of: id, token: token)
            #expect(try await isAttested(Self.provenance))
            _ = try await server.send("DELETE", "\(Self.keys)/\(key)", token: token)
            #expect(try await !isAttested(Self.provenance))
        }
    }

    @Test(arguments: Engine.direct)
    func `the database keeps attestations of a published version as they are`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.withPackages()
            let id = try await server.published("p", token: token)
            _ = try await Self.put(Array(SigningSamples.statement.utf8), id, server, token)
            for statement: SQL in ["UPDATE attestations SET predicate_type = 'x'", "DELETE FROM attestations"] {
                let fault = await #expect(throws: DatabaseFault.self) { try await server.execute(statement) }
                guard case .immutable = fault else {
                    Issue.record("\(String(describing: fault))")
                    continue
                }
            }
        }
    }
}
