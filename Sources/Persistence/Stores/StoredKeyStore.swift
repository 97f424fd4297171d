// What the database knows of the keys that a store holds.

package import Domain

/// Why a key may be in a store. It has one of these from before its first byte until after its last.
package enum StoredKeyRole: Int, Sendable {
    /// Being written, or uploaded in parts.
    case staged = 1
    /// To be deleted.
    case dead = 2
    /// A blob's object.
    case blob = 3
}

package enum StoredKeyStore {
    /// The keys that some row knows. One statement, so that a key that changes its role at the same time is seen once.
    package static func roles(
        of keys: [StorageKey], _ transaction: borrowing Transaction
    ) throws -> [StorageKey: StoredKeyRole] {
        let texts = keys.map(\.text)
        let rows = try transaction.all(
            """
            SELECT storage_key, 1 FROM staged_objects WHERE storage_key \(.isOneOf(texts))
            UNION ALL SELECT storage_key, 2 FROM dead_objects WHERE storage_key \(.isOneOf(texts))
            UNION ALL SELECT storage_key, 3 FROM blobs WHERE storage_key \(.isOneOf(texts))
            """, as: { (try $0[0] as StorageKey, StoredKeyRole(rawValue: try $0[1])) })
        return rows.reduce(into: [:]) { roles, row in roles[row.0] = row.1 }
    }
}
