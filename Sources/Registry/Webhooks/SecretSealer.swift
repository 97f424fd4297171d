// Secrets that must be read again are kept encrypted, under a key that lies outside the database (HTTP contract, section 9,
// row 33).

import Cryptography

package struct SecretSealer: Sendable {
    private let key: [UInt8]

    /// - Parameter key: 32 bytes.
    package init(key: [UInt8]) { self.key = key }

    func seal(_ secret: [UInt8]) -> [UInt8] { SealedBox.seal(secret, key: self.key) }

    /// - Throws: `SealedBox.Failure` where it was sealed under another key.
    func open(_ sealed: [UInt8]) throws -> [UInt8] { try SealedBox.open(sealed, key: self.key) }
}
