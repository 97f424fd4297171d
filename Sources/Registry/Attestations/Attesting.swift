// Adding statements about a version's bytes: at any time until it is tombstoned, also after its publish. Its bytes
// are kept as they came; a signature counts only while a key verifies it that the repository trusts.

import Cryptography
package import Domain
import HTTP
package import Persistence
package import Storage
package import Threads

package struct Attested: Hashable, Sendable {
    package let version: PackageVersion
    package let attestation: StoredAttestation
    /// Whether the same document was there before.
    package let isRepeated: Bool
}

package struct Attesting: Sendable {
    /// How many a version may have.
    package static let limit = 100

    private let database: any Database
    private let storage: any BlobStorage
    private let intake: Intake
    private let deduplication: Deduplication
    private let quota: StorageQuota
    private let clock: WallClock

    package init(
        database: any Database, storage: any BlobStorage, intake: Intake, deduplication: Deduplication,
        quota: StorageQuota, clock: WallClock
    ) {
        self.database = database
        self.storage = storage
        self.intake = intake
        self.deduplication = deduplication
        self.quota = quota
        self.clock = clock
    }

    /// Adds a document to a version; the same again is verified again with the keys that are trusted now.
    ///
    /// - Parameter mustVerify: whether it is refused where no trusted key verifies it.
    /// - Throws: `not_found`; `conflict` for a tombstoned version, or one with as many as it can have;
    ///   `subject_mismatch` where it is about other bytes; `signature_invalid`; `too_many_requests` over the tenant's
    ///   quota.
    package func attest(
        _ document: AttestationDocument, mustVerify: Bool, of id: VersionID, under grant: Grant,
        commit: Commit<Attested>
    ) async throws -> Attested {
        let digest = SHA256.digest(of: document.bytes)
        let signers = try await self.signers(of: document, about: id, under: grant)
        if mustVerify, signers.isEmpty {
            throw Refusal(.signatureInvalid, "No key that the repository trusts has signed this.")
        }
        let isKept = try await self.database.lookup {
            try AttestationStore.find(document, digest: digest, of: id, $0) != nil
        }
        let received = isKept ? nil : try await self.intake.receive(RequestBody(document.bytes))
        do {
            let add = { (inspection: ObjectInspection?) in
                try await commit { [quota, now = self.clock.now()] transaction in
                    let attested = try Self.add(
                        document, digest, received, after: inspection, to: id, signers, under: grant, at: now,
                        transaction)
                    if !attested.isRepeated { try quota.enforce(for: grant.tenant, transaction) }
                    return attested
                }
            }
            let attested =
                if let received {
                    try await self.deduplication.run(admitting: received.key, add)
                } else {
                    try await add(nil)
                }
            if attested.isRepeated, let received { await self.intake.discard(received) }
            return attested
        } catch let refusal as Refusal {
            // A fault may hide a commit: then the object must stay.
            if let received { await self.intake.discard(received) }
            throw refusal
        }
    }

    private func signers(
        of document: AttestationDocument, about id: VersionID, under grant: Grant
    ) async throws -> [TrustedKeyID] {
        let (keys, signed) = try await self.database.read { transaction in
            let version = try VersionStore.require(id, in: grant.repo, of: grant.tenant, transaction)
            try Self.check(document, fits: version, transaction)
            return (
                try TrustedKeyStore.keys(of: version.repository.id, transaction),
                try document.signedDigest.flatMap { try AttestationStore.bytes($0, transaction) }
            )
        }
        if keys.isEmpty || document.signatures.isEmpty { return [] }
        var bytes: [UInt8]?
        if let signed {
            bytes = try await SignatureVerification.bytes(of: signed.key, length: signed.length, in: self.storage)
        }
        return try SignatureVerification(keys).signers(of: document, bytes)
    }

    /// - Throws: `conflict`, `subject_mismatch`.
    private static func check(
        _ document: AttestationDocument, fits version: PackageVersion, _ transaction: borrowing Transaction
    ) throws {
        guard version.state != .tombstoned else {
            throw Refusal.conflict("The version is tombstoned: nothing can be attested of it any more.")
        }
        guard try AttestationStore.known(document.subjects, of: version.id, transaction).isEmpty else { return }
        throw Refusal(
            .subjectMismatch, "No file of the version has a digest that the attestation is about.",
            ["subjects": JSON(document.subjects.prefix(10).map(\.hex))])
    }

    private static func add(
        _ document: AttestationDocument, _ digest: BlobDigest, _ received: Received?,
        after inspection: ObjectInspection?, to id: VersionID, _ signers: [TrustedKeyID], under grant: Grant,
        at now: Timestamp, _ transaction: borrowing Transaction
    ) throws -> Attested {
        let version = try VersionStore.require(id, in: grant.repo, of: grant.tenant, locked: true, transaction)
        try Self.check(document, fits: version, transaction)
        let present = try AttestationStore.find(document, digest: digest, of: id, transaction)
        let attestation = present ?? AttestationID(at: now)
        if present == nil {
            guard try AttestationStore.count(of: id, transaction) < Self.limit else {
                throw Refusal.conflict("The version has \(Self.limit) attestations, which is as many as it can have.")
            }
            guard let received else { throw DatabaseFault.contention("an attestation that was there is gone") }
            _ = try Deduplication.admit(
                received.digest, length: received.length, key: received.key, checksums: received.checksums,
                after: inspection, by: grant.caller, at: now, transaction)
            try AttestationStore.insert(
                document, id: attestation, digest: digest, of: id, by: grant.caller.subject, at: now, transaction)
        }
        let verified = try AttestationStore.sign(attestation, with: signers, at: now, transaction)
        guard let stored = try AttestationStore.attestations(of: id, only: attestation, transaction).first else {
            throw DatabaseFault.unreadable("an attestation that was just added")
        }
        if present == nil || verified > 0 {
            try transaction.execute(
                Announcement(of: version).audit(
                    present == nil ? "package.version.attested" : "package.version.attestation.verified",
                    [
                        "attestationId": attestation.description, "kind": document.kind.rawValue,
                        "digest": digest.hex, "predicateType": document.predicateType ?? "",
                        "verified": String(stored.isVerified),
                    ], by: grant.caller, at: now))
        }
        return Attested(version: version, attestation: stored, isRepeated: present != nil)
    }
}
