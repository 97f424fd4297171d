// What is known of a blob's stored object before a transaction refers to it: storage is never read inside a transaction.

package import Domain

/// What is wrong with a stored object.
package enum ObjectDamage: String, CaseIterable, Sendable {
    case missing
    case wrongLength = "wrong_length"
    case wrongBytes = "wrong_bytes"
    /// It was found to be damaged earlier.
    case blocked
}

/// The result of looking at a blob's stored object.
package struct ObjectInspection: Hashable, Sendable {
    /// Of the object that was looked at.
    package let key: StorageKey
    /// Nil if it is good.
    package let damage: ObjectDamage?
    /// When its bytes were read and found good; nil if they were not read.
    package let verifiedAt: Timestamp?

    package init(key: StorageKey, damage: ObjectDamage?, verifiedAt: Timestamp?) {
        self.key = key
        self.damage = damage
        self.verifiedAt = verifiedAt
    }
}

/// Ends a transaction that would refer to an object that was not inspected. The object is inspected, and the transaction
/// runs again.
package struct UninspectedObject: Fault {
    package let description = "a stored object must be inspected before it is used again"

    package let blob: Blob
    /// When its bytes were last read and found good.
    package let verifiedAt: Timestamp?

    package init(blob: Blob, verifiedAt: Timestamp?) {
        self.blob = blob
        self.verifiedAt = verifiedAt
    }
}

/// A damaged object that was replaced by a fresh one.
package struct ObjectRepair: Hashable, Sendable {
    package let damage: ObjectDamage
    package let damagedKey: StorageKey

    package init(damage: ObjectDamage, damagedKey: StorageKey) {
        self.damage = damage
        self.damagedKey = damagedKey
    }
}

package struct AdmittedBlob: Hashable, Sendable {
    package let blob: Blob
    /// Nil if the row is new, or its object was good.
    package let repair: ObjectRepair?

    package init(_ blob: Blob, repair: ObjectRepair? = nil) {
        self.blob = blob
        self.repair = repair
    }
}
