// One step of the schema. Released ones never change: their checksums are kept beside the data.

import Cryptography
import Domain

/// One file: `V0001_core.sql`. Each driver has its own, with the same numbers.
package struct Migration: Sendable {
    package let version: String
    /// The oldest program that still runs on a database with this migration, by its level: the number of migrations
    /// that it knows. A migration that only adds names an older level than its own.
    package let oldestLevel: Int
    package let script: String
    /// SHA-256 of the script, in hexadecimal.
    package let checksum: String

    package init(_ version: String, oldestLevel: Int, script: [UInt8]) {
        self.version = version
        self.oldestLevel = oldestLevel
        self.script = String(decoding: script, as: UTF8.self)
        self.checksum = SHA256.digest(of: script).hex
    }
}
