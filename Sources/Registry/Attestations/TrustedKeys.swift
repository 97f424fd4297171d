// Keys whose signatures a repository trusts.

import Cryptography
package import Domain
package import Persistence
package import Threads

package struct AddedKey: Hashable, Sendable {
    package let key: StoredKey
    /// Whether it was trusted before.
    package let isRepeated: Bool
}

package struct TrustedKeys: Sendable {
    /// Each signature is tried with each key.
    package static let limit = 32
    /// In bytes of UTF-8.
    private static let nameLimit = 200

    private let database: any Database
    private let clock: WallClock

    package init(database: any Database, clock: WallClock) {
        self.database = database
        self.clock = clock
    }

    /// - Throws: `not_found` for the repository.
    package func list(under grant: Grant) async throws -> [StoredKey] {
        try await self.database.read { transaction in
            let repository = try RepositoryStore.require(grant.repo, of: grant.tenant, transaction)
            return try TrustedKeyStore.keys(of: repository.id, transaction)
        }
    }

    /// Trusts a key from now on. One that is trusted already keeps its name.
    ///
    /// - Throws: `bad_request`; `not_found` for the repository; `conflict` where it trusts as many as it can.
    package func add(
        _ pem: String, name: String, under grant: Grant, commit: Commit<AddedKey>
    ) async throws -> AddedKey {
        guard name.utf8.count <= Self.nameLimit, !name.hasControlCharacter else {
            throw Refusal.badRequest("name must have at most \(Self.nameLimit) bytes, and no control characters.")
        }
        let key: PublicKey
        do throws(PublicKey.Failure) {
            key = try PublicKey(pem: pem)
        } catch {
            throw Refusal.badRequest(Self.message(for: error))
        }
        let (algorithm, fingerprint) = (key.algorithm.rawValue, key.fingerprint)
        return try await commit { [now = self.clock.now()] transaction in
            let repository = try RepositoryStore.require(
                grant.repo, of: grant.tenant, transaction, lock: .forNoKeyUpdate)
            let present = try TrustedKeyStore.keys(of: repository.id, transaction)
            if let key = present.first(where: { $0.fingerprint == fingerprint }) {
                return AddedKey(key: key, isRepeated: true)
            }
            guard present.count < Self.limit else {
                throw Refusal.conflict("The repository trusts \(Self.limit) keys already: remove one first.")
            }
            let stored = StoredKey(
                id: TrustedKeyID(at: now), name: name, algorithm: algorithm, fingerprint: fingerprint,
                pem: pem.trimmed, addedBy: grant.caller.subject.text, addedAt: now)
            try TrustedKeyStore.insert(stored, in: repository.id, transaction)
            try Self.audit("repo.trusted_key.added", stored, under: grant, at: now, transaction)
            return AddedKey(key: stored, isRepeated: false)
        }
    }

    /// Trusts a key no more: what it alone has signed counts as unverified from now on.
    ///
    /// - Throws: `not_found`.
    package func remove(
        _ id: TrustedKeyID, under grant: Grant, commit: Commit<StoredKey>
    ) async throws -> StoredKey {
        try await commit { [now = self.clock.now()] transaction in
            transaction.allowReserve()
            let repository = try RepositoryStore.require(grant.repo, of: grant.tenant, transaction, lock: .forUpdate)
            guard let key = try TrustedKeyStore.keys(of: repository.id, transaction).first(where: { $0.id == id })
            else { throw Refusal.notFound("The trusted key") }
            try TrustedKeyStore.remove(id, by: grant.caller.subject, at: now, transaction)
            try PolicyStore.supersede(repository.id, transaction)  // a rule may have relied on it
            try Self.audit("repo.trusted_key.removed", key, under: grant, at: now, transaction)
            return key
        }
    }

    private static func audit(
        _ action: String, _ key: StoredKey, under grant: Grant, at now: Timestamp,
        _ transaction: borrowing Transaction
    ) throws {
        try AuditLog.append(
            AuditEntry(
                action, on: "trusted_key", key.id,
                [
                    "repoKey": grant.repo.text, "name": key.name, "algorithm": key.algorithm,
                    "fingerprint": key.fingerprint,
                ]), by: grant.caller, at: now, transaction)
    }

    private static func message(for failure: PublicKey.Failure) -> String {
        let wanted = "Ed25519, ECDSA on P-256 or P-384, or RSA of 2048 to 8192 bits"
        return switch failure {
        case .notPEM: "publicKey must be a PEM text between '-----BEGIN PUBLIC KEY-----' and its end."
        case .unreadable: "publicKey is no public key that can be read: \(wanted)."
        case .unsupported(let what): "publicKey is not taken for \(what): \(wanted)."
        }
    }
}
