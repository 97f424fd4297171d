// Hash functions of OpenSSL's EVP interface, fed piece by piece.

import COpenSSL
package import Domain

/// A running hash. Freed with its scope; consumed by `finish`, so never fed again.
@safe package struct Hash: ~Copyable, @unchecked Sendable {
    package enum Function: String, CaseIterable, Sendable { case md5, sha1, sha256, sha512 }

    private let context: OpaquePointer

    package init(_ function: Function) {
        // Allocation fails only where the process is out of memory; the provider's functions are always there.
        unsafe self.context = EVP_MD_CTX_new()
        let implementation = unsafe Self.implementation(of: function)
        let started = unsafe EVP_DigestInit_ex(self.context, implementation, nil)
        precondition(started == 1, "\(function.rawValue) is not available")
    }

    deinit { unsafe EVP_MD_CTX_free(self.context) }

    /// Fetched once: the library otherwise looks for its provider's function at each start.
    private static let implementations = Function.allCases.map { Implementation($0) }

    @safe private struct Implementation: @unchecked Sendable {
        let pointer: OpaquePointer?

        init(_ function: Function) {
            unsafe self.pointer = EVP_MD_fetch(nil, function.rawValue, nil)
        }
    }

    private static func implementation(of function: Function) -> OpaquePointer? {
        switch function {
        case .md5: unsafe self.implementations[0].pointer
        case .sha1: unsafe self.implementations[1].pointer
        case .sha256: unsafe self.implementations[2].pointer
        case .sha512: unsafe self.implementations[3].pointer
        }
    }

    package mutating func update(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { _ = unsafe EVP_DigestUpdate(self.context, $0.baseAddress, $0.count) }
    }

    /// The digest.
    package consuming func finish() -> [UInt8] {
        var length: UInt32 = 0
        return unsafe [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, count in
            unsafe EVP_DigestFinal_ex(self.context, buffer.baseAddress, &length)
            count = Int(length)
        }
    }

    /// Of bytes that are all there.
    package static func digest(_ function: Function, of bytes: [UInt8]) -> [UInt8] {
        var hash = Hash(function)
        hash.update(bytes.span)
        return hash.finish()
    }
}

/// A running SHA-256, whose end is a blob's digest.
package struct SHA256: ~Copyable, Sendable {
    private var hash = Hash(.sha256)

    package init() {}

    package mutating func update(_ bytes: Span<UInt8>) { self.hash.update(bytes) }

    package consuming func finish() -> BlobDigest { BlobDigest(bytes: self.hash.finish()) }

    package static func digest(of bytes: [UInt8]) -> BlobDigest { BlobDigest(bytes: Hash.digest(.sha256, of: bytes)) }

    package static func digest(of text: String) -> BlobDigest {
        var text = text
        return text.withUTF8 { bytes in
            var hash = SHA256()
            unsafe hash.update(bytes.span)
            return hash.finish()
        }
    }
}
