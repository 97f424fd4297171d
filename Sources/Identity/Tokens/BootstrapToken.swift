// The token that issues the first tokens. Rules: HTTP contract, 2.5 and section 9, rows 3, 4 and 34: only its hash is
// kept, made by one winner; it can be replaced and switched off.

import Cryptography
import Domain
package import Persistence

package struct BootstrapToken: Sendable {
    private static let name = "bootstrap-token-hash"
    /// What stands in the hash's place once it was switched off.
    private static let disabled = "disabled"

    /// The setting `auth.bootstrapToken`, which stands before the database's.
    private let configured: String?

    package init(configured: String?) { self.configured = configured?.trimmedOrNil }

    package var isConfigured: Bool { self.configured != nil }

    /// On an empty database, where no token is configured: makes one.
    ///
    /// - Returns: the token, to be shown to the administrator; nil where there is one already.
    package func create(_ transaction: borrowing Transaction) throws -> String? {
        guard self.configured == nil, try InstallationStore.value(Self.name, transaction) == nil else { return nil }
        let token = TokenText.fresh()
        let hash = SHA256.digest(of: token).hex
        return try InstallationStore.settle(Self.name, hash, transaction) == hash ? token : nil
    }

    /// A new one in the place of the old one.
    package func rotate(_ transaction: borrowing Transaction) throws -> String {
        let token = TokenText.fresh()
        try InstallationStore.set(Self.name, SHA256.digest(of: token).hex, transaction)
        return token
    }

    package func disable(_ transaction: borrowing Transaction) throws {
        try InstallationStore.set(Self.name, Self.disabled, transaction)
    }

    /// Whether one would be accepted.
    package func isAlive(_ transaction: borrowing Transaction) throws -> Bool {
        if self.configured != nil { return true }
        return try InstallationStore.value(Self.name, transaction).map { $0 != Self.disabled } ?? false
    }

    /// Compares in constant time.
    package func matches(_ presented: String, _ transaction: borrowing Transaction) throws -> Bool {
        let hash = SHA256.digest(of: presented.trimmed).hex
        if let configured = self.configured {
            return ConstantTime.equal(hash.utf8, SHA256.digest(of: configured).hex.utf8)
        }
        guard let kept = try InstallationStore.value(Self.name, transaction) else { return false }
        return ConstantTime.equal(hash.utf8, kept.utf8)
    }
}
