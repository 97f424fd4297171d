// What is said of a version's bytes: in-toto statements in DSSE envelopes, bare statements, and signatures alone. Beyond
// the contract's routes; user documentation: docs/runbooks/publishing.md.

import Domain
import HTTP
import Persistence
package import Registry

package struct AttestationRoutes: Sendable {
    private let attesting: Attesting
    private let reading: PackageReading
    private let files: FileAnswer

    package init(attesting: Attesting, reading: PackageReading, files: FileAnswer) {
        self.attesting = attesting
        self.reading = reading
        self.files = files
    }

    package var routes: [Route] {
        let all = "/v1/repos/{repoKey}/packages/versions/{versionId}/attestations"
        let readers = "read, or a repository that everyone may read"
        return [
            .content("PUT", all, .write) { call, grant in try await self.put(call, grant) },
            .own("GET", all, readers) { call, _ in try await self.list(call) },
            .own("GET", "\(all)/{attestationId}", readers) { call, _ in
                .json(200, try await self.find(call).json)
            },
            .own("GET", "\(all)/{attestationId}/document", readers) { call, _ in try await self.document(call) },
        ]
    }

    private func put(_ call: Call, _ grant: Grant) async throws -> Response {
        let id = try call.versionID
        let target = call.request.target
        let subject = try target.parameter("subject").map { text in try BlobDigest(parsing: text) }
        let mustVerify = target.parameter("mustVerify")?.trimmed.lowercased() == "true"
        let bytes = try await call.document(upTo: AttestationDocument.sizeLimit)
        let document =
            if let subject {
                try AttestationDocument(signature: bytes, of: subject)
            } else {
                try AttestationDocument(bytes)
            }
        return try await call.commit { commit in
            try await self.attesting.attest(document, mustVerify: mustVerify, of: id, under: grant, commit: commit)
        } answer: { attested in
            let body = JSON.object(attested.version.reference + attested.attestation.members)
            if attested.isRepeated { return .json(200, body) }
            return call.created(
                at: "/v1/repos/\(grant.repo)/packages/versions/\(id)/attestations/\(attested.attestation.id)", body)
        }
    }

    private func list(_ call: Call) async throws -> Response {
        let (version, attestations) = try await self.reading.attestations(of: call.versionID, in: call.place)
        return .json(200, .object(version.reference + [.init("items", .array(attestations.map(\.json)))]))
    }

    /// - Throws: `not_found`.
    private func find(_ call: Call) async throws -> StoredAttestation {
        let id = try call.id("attestationId", of: AttestationDocument.self)
        return try await self.reading.attestation(id, of: call.versionID, in: call.place)
    }

    private func document(_ call: Call) async throws -> Response {
        let attestation = try await self.find(call)
        return try await self.files.respond(FileDescription(attestation), to: call.request)
    }
}

extension PackageVersion {
    fileprivate var reference: [JSON.Member] {
        [.init("versionId", JSON(self.id)), .init("repoKey", .string(self.repository.key.text))]
    }
}

extension StoredAttestation {
    var json: JSON { .object(self.members) }

    fileprivate var members: [JSON.Member] {
        [
            .init("attestationId", JSON(self.id)), .init("kind", .string(self.kind.rawValue)),
            .init("predicateType", JSON(self.predicateType)), .init("digest", .string(self.digest.hex)),
            .init("sizeBytes", JSON(self.length)), .init("relativePaths", JSON(self.paths)),
            .init("verified", .bool(self.isVerified)), .init("verification", .string(self.verification)),
            .init("verifiedBy", .array(self.signers.map(\.json))), .init("addedAtUtc", JSON(self.addedAt)),
            .init("addedBySubject", .string(self.addedBy)),
        ]
    }

    /// Why it counts, or does not.
    private var verification: String {
        if self.isVerified { return "verified" }
        switch self.kind {
        case .statement: return "unsigned"
        case .dsse, .signature: return "untrusted"
        }
    }
}

extension StoredAttestation.Signer {
    fileprivate var json: JSON {
        [
            "keyId": JSON(self.key), "name": .string(self.name), "algorithm": .string(self.algorithm),
            "fingerprint": .string(self.fingerprint), "verifiedAtUtc": JSON(self.verifiedAt),
        ]
    }
}

extension FileDescription {
    fileprivate convenience init(_ attestation: StoredAttestation) {
        let type =
            switch attestation.kind {
            case .dsse: "application/vnd.dsse.envelope.v1+json"
            case .statement: InTotoStatement.payloadType
            case .signature: "application/octet-stream"
            }
        self.init(
            digest: attestation.digest, length: attestation.length, storageKey: attestation.storageKey,
            contentType: type, modifiedAt: attestation.addedAt, fileName: "\(attestation.id)")
    }
}
