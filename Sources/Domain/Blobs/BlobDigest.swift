// The name of every stored byte sequence: the digest of its bytes.
// Written form: HTTP contract, 1.4. (OCI's `sha256:` form is that ecosystem's.)

/// A SHA-256 digest: 32 bytes, written as 64 lower-case hexadecimal digits.
package struct BlobDigest: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let hex: String

    /// Reads the written form, in either case: the only way in from text, so every value is well formed.
    ///
    /// - Throws: `bad_request` for another length or another character.
    package init(parsing text: some StringProtocol) throws(Refusal) {
        let hex = text.trimmed.lowercased()
        guard hex.utf8.count == 64, hex.utf8.allSatisfy({ $0.hexDigitValue != nil }) else {
            throw .badRequest("A digest must be the 64 hexadecimal digits of a SHA-256.")
        }
        self.hex = hex
    }

    /// - Parameter bytes: the 32 bytes that a hash function gave.
    package init(bytes: [UInt8]) {
        precondition(bytes.count == 32, "a SHA-256 has 32 bytes")
        self.hex = Hexadecimal.text(of: bytes)
    }

    package static func < (left: Self, right: Self) -> Bool { left.hex < right.hex }

    package var description: String { self.hex }

    /// Of no bytes at all.
    package static let ofNothing = BlobDigest(
        bytes: [
            0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
            0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
        ])
}

/// The checksums that clients of some formats ask for beside the SHA-256; lower-case hexadecimal digits.
package struct Checksums: Hashable, Sendable {
    package var md5: String?
    package var sha1: String?
    package var sha512: String?

    package init(md5: String? = nil, sha1: String? = nil, sha512: String? = nil) {
        self.md5 = md5
        self.sha1 = sha1
        self.sha512 = sha512
    }

    /// These, and those of the same bytes that are missing here.
    package func filled(from other: Checksums) -> Checksums {
        Checksums(md5: self.md5 ?? other.md5, sha1: self.sha1 ?? other.sha1, sha512: self.sha512 ?? other.sha512)
    }

    package var isComplete: Bool { self.md5 != nil && self.sha1 != nil && self.sha512 != nil }
}
