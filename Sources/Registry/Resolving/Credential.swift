// What a request presents of itself, before anybody has looked it up. Rules: HTTP contract, 2.3 and section 9, row 18.

import Cryptography
import Domain

/// A bearer token, or the password of HTTP Basic, or nothing.
package enum Credential: Hashable, Sendable {
    case none
    /// The lower-case hexadecimal SHA-256 of the token: the token itself is not kept.
    case token(hash: String)

    package init(token: String) { self = .token(hash: Self.hash(of: token)) }

    /// What is kept of a token (HTTP contract, 2.4).
    package static func hash(of token: String) -> String { SHA256.digest(of: token).hex }

    /// Tells one from another in a table in memory; nil for none.
    package var fingerprint: UInt64? {
        self.hash.map { hash in hash.utf8.prefix(16).reduce(0) { $0 << 4 | UInt64($1.hexDigitValue ?? 0) } }
    }

    var hash: String? { if case .token(let hash) = self { hash } else { nil } }
}
