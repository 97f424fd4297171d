// URLs with which a client may put one part to us, without a token. Rules: HTTP contract, section 9, rows 19 and 33: an
// HMAC over method, path, session, part, length limit and expiry, with a key that is made once and kept in the
// database, encrypted.

import Cryptography
package import Domain
package import Persistence

/// What a URL allows.
package struct PartTicket: Hashable, Sendable {
    package let repo: RepoKey
    package let upload: UploadID
    package let number: Int
    /// In bytes: a longer part is not taken.
    package let limit: Int
    package let expiresAt: Timestamp

    package init(repo: RepoKey, upload: UploadID, number: Int, limit: Int, expiresAt: Timestamp) {
        self.repo = repo
        self.upload = upload
        self.number = number
        self.limit = limit
        self.expiresAt = expiresAt.wholeSeconds
    }

    var path: String { "/v1/repos/\(self.repo)/uploads/\(self.upload)/parts/\(self.number)" }

    /// In seconds since 1970.
    package var expiry: Int64 { self.expiresAt.microseconds / 1_000_000 }

    fileprivate var signed: String {
        "PUT\n\(self.path)\n\(self.upload)\n\(self.number)\n\(self.limit)\n\(self.expiry)"
    }
}

package struct PartSigner: Sendable {
    private static let name = "part-url-key"

    private let key: [UInt8]

    init(key: [UInt8]) { self.key = key }

    /// The installation's key, made by the first who asks.
    ///
    /// - Parameter secret: 32 bytes; encrypts the key at rest.
    /// - Throws: `SealedBox.Failure` where another secret encrypted it.
    package static func settle(under secret: [UInt8], in database: any Database) async throws -> PartSigner {
        let fresh = Hexadecimal.text(of: SealedBox.seal(SecureRandom.bytes(32), key: secret))
        let kept = try await database.transaction { transaction in
            if let kept = try InstallationStore.value(Self.name, transaction) { return kept }
            return try InstallationStore.settle(Self.name, fresh, transaction)
        }
        return PartSigner(key: try SealedBox.open(Hexadecimal.bytes(of: kept) ?? [], key: secret))
    }

    /// Path and query of the URL.
    func target(of ticket: PartTicket) -> String {
        "\(ticket.path)?expires=\(ticket.expiry)&limit=\(ticket.limit)&signature=\(self.signature(of: ticket))"
    }

    private func signature(of ticket: PartTicket) -> String {
        Hexadecimal.text(of: HMAC.sha256(ticket.signed, key: self.key))
    }

    func admits(_ ticket: PartTicket, signature: String, at now: Timestamp) -> Bool {
        let isOurs = ConstantTime.equal(self.signature(of: ticket).utf8, signature.utf8)
        return isOurs && ticket.expiresAt > now
    }
}
