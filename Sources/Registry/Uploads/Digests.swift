// The SHA-256 that names a blob, and further checksums beside it, in one pass over the bytes.

import Cryptography
import Domain

/// Several hashes of the same bytes.
struct Digests: ~Copyable {
    private var sha256 = SHA256()
    private var md5: Hash?
    private var sha1: Hash?
    private var sha512: Hash?

    init(_ functions: Set<Hash.Function>) {
        self.md5 = functions.contains(.md5) ? Hash(.md5) : nil
        self.sha1 = functions.contains(.sha1) ? Hash(.sha1) : nil
        self.sha512 = functions.contains(.sha512) ? Hash(.sha512) : nil
    }

    mutating func update(_ bytes: Span<UInt8>) {
        self.sha256.update(bytes)
        self.md5?.update(bytes)
        self.sha1?.update(bytes)
        self.sha512?.update(bytes)
    }

    consuming func finish() -> (BlobDigest, Checksums) {
        let checksums = Checksums(
            md5: Self.text(self.md5.take()), sha1: Self.text(self.sha1.take()), sha512: Self.text(self.sha512.take()))
        return (self.sha256.finish(), checksums)
    }

    private static func text(_ hash: consuming Hash?) -> String? {
        guard let hash else { return nil }
        return Hexadecimal.text(of: hash.finish())
    }
}
