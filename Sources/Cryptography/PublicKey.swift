// Public keys, and signatures that they verify: Ed25519 (RFC 8032), ECDSA on P-256 and P-384 (FIPS 186-5), RSA with
// PKCS #1 v1.5 and PSS (RFC 8017). Written form: a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7) in PEM (RFC 7468, 13).

import COpenSSL
import Domain

/// A key. Never changed once it is read, so threads share it.
@safe package final class PublicKey: @unchecked Sendable {
    package enum Algorithm: String, CaseIterable, Sendable {
        case ed25519
        case p256 = "ecdsa-p256"
        case p384 = "ecdsa-p384"
        case rsa
    }

    package enum Failure: Fault, Hashable {
        case notPEM
        case unreadable
        /// RSA is taken from 2048 to 8192 bits.
        case unsupported(String)

        package var description: String {
            switch self {
            case .notPEM: "the key is not in PEM form"
            case .unreadable: "the key cannot be read"
            case .unsupported(let text): "the key is not supported: \(text)"
            }
        }
    }

    /// In bits.
    private static let rsaSizes = 2048...8192

    package let algorithm: Algorithm
    /// The SubjectPublicKeyInfo.
    package let der: [UInt8]
    private let key: OpaquePointer

    package convenience init(pem: String) throws(Failure) {
        let lines = pem.split(whereSeparator: \.isNewline).map(\.trimmed).filter { !$0.isEmpty }
        guard lines.count > 2, lines.first == "-----BEGIN PUBLIC KEY-----",
            lines.last == "-----END PUBLIC KEY-----",
            let der = Base64.decode(lines.dropFirst().dropLast().joined())
        else { throw .notPEM }
        try self.init(der: der)
    }

    package init(der: [UInt8]) throws(Failure) {
        defer { ERR_clear_error() }
        guard let read = unsafe Self.read(der) else { throw .unreadable }
        switch unsafe Self.algorithm(of: read) {
        case .success(let algorithm): unsafe (self.algorithm, self.der, self.key) = (algorithm, der, read)
        case .failure(let failure):
            unsafe EVP_PKEY_free(read)
            throw failure
        }
    }

    deinit { unsafe EVP_PKEY_free(self.key) }

    private static func read(_ der: [UInt8]) -> OpaquePointer? {
        unsafe der.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            var position = buffer.baseAddress
            guard let key = unsafe d2i_PUBKEY(nil, &position, buffer.count) else { return nil }
            // Nothing may follow: one key has one written form.
            guard unsafe position == buffer.baseAddress?.advanced(by: buffer.count) else {
                unsafe EVP_PKEY_free(key)
                return nil
            }
            return unsafe key
        }
    }

    private static func algorithm(of key: OpaquePointer) -> Result<Algorithm, Failure> {
        switch unsafe EVP_PKEY_get_base_id(key) {
        case EVP_PKEY_ED25519: return .success(.ed25519)
        case EVP_PKEY_EC:
            switch unsafe Self.curve(of: key) {
            case "prime256v1": return .success(.p256)
            case "secp384r1": return .success(.p384)
            case let curve: return .failure(.unsupported("the curve \(curve)"))
            }
        case EVP_PKEY_RSA:
            let bits = Int(unsafe EVP_PKEY_get_bits(key))
            return Self.rsaSizes.contains(bits) ? .success(.rsa) : .failure(.unsupported("RSA of \(bits) bits"))
        default: return .failure(.unsupported("its algorithm"))
        }
    }

    private static func curve(of key: OpaquePointer) -> String {
        var name = [CChar](repeating: 0, count: 64)
        var length = 0
        guard unsafe EVP_PKEY_get_group_name(key, &name, name.count, &length) == 1 else { return "without a name" }
        return String(decoding: name.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The lower-case hexadecimal SHA-256 of the key's SubjectPublicKeyInfo.
    package var fingerprint: String { SHA256.digest(of: self.der).hex }

    // MARK: - Verifying

    private enum Padding { case none, pkcs1, pss }

    /// What a signer with such a key may have used: (hash, padding), in the order of likelihood.
    private var schemes: [(hash: HashName, padding: Padding)] {
        switch self.algorithm {
        case .ed25519: [(.none, .none)]
        case .p256: [(.sha256, .none)]
        case .p384: [(.sha384, .none), (.sha256, .none)]
        case .rsa: [HashName.sha256, .sha512, .sha384].flatMap { [($0, Padding.pkcs1), ($0, .pss)] }
        }
    }

    private enum HashName {
        case none, sha256, sha384, sha512

        var implementation: OpaquePointer? {
            switch self {
            case .none: nil
            case .sha256: unsafe EVP_sha256()
            case .sha384: unsafe EVP_sha384()
            case .sha512: unsafe EVP_sha512()
            }
        }
    }

    /// Whether it is this key's signature of `message`. ECDSA's may be written in DER or as the two numbers in a row.
    package func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        defer { ERR_clear_error() }
        return self.spellings(of: signature).contains { signature in
            self.schemes.contains { self.verifies(signature, of: message, $0.hash, $0.padding) }
        }
    }

    /// The same for a message of which only the SHA-256 is known. Ed25519 needs the message itself.
    package func verifies(_ signature: [UInt8], ofSHA256 digest: [UInt8]) -> Bool {
        guard self.algorithm != .ed25519, digest.count == 32 else { return false }
        defer { ERR_clear_error() }
        let paddings: [Padding] = self.algorithm == .rsa ? [.pkcs1, .pss] : [.none]
        return self.spellings(of: signature).contains { signature in
            paddings.contains { self.verifies(signature, ofSHA256: digest, $0) }
        }
    }

    private func verifies(
        _ signature: [UInt8], of message: [UInt8], _ hash: HashName, _ padding: Padding
    ) -> Bool {
        let context = unsafe EVP_MD_CTX_new()
        defer { unsafe EVP_MD_CTX_free(context) }
        var parameters: OpaquePointer?
        guard unsafe EVP_DigestVerifyInit(context, &parameters, hash.implementation, nil, self.key) == 1,
            unsafe Self.set(padding, parameters)
        else { return false }
        return unsafe EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
    }

    private func verifies(_ signature: [UInt8], ofSHA256 digest: [UInt8], _ padding: Padding) -> Bool {
        let context = unsafe EVP_PKEY_CTX_new(self.key, nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        guard unsafe EVP_PKEY_verify_init(context) == 1, unsafe Self.set(padding, context),
            unsafe EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1
        else { return false }
        return unsafe EVP_PKEY_verify(context, signature, signature.count, digest, digest.count) == 1
    }

    private static func set(_ padding: Padding, _ parameters: OpaquePointer?) -> Bool {
        switch padding {
        case .none: true
        case .pkcs1: unsafe EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PADDING) == 1
        case .pss:
            unsafe EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1
                && EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_AUTO) == 1
        }
    }

    private func spellings(of signature: [UInt8]) -> [[UInt8]] {
        switch self.algorithm {
        case .p256 where signature.count == 64, .p384 where signature.count == 96:
            [signature, ECDSASignature.der(ofRow: signature)]
        case .ed25519, .p256, .p384, .rsa: [signature]
        }
    }
}

/// The two written forms of an ECDSA signature: `r` and `s` in a row (IEEE P1363), and as DER (RFC 3279, 2.2.3).
enum ECDSASignature {
    static func der(ofRow row: [UInt8]) -> [UInt8] {
        let half = row.count / 2
        let numbers = self.integer(row[..<half]) + self.integer(row[half...])
        // At most 2 * (2 + 1 + 48) bytes: the short form of the length does.
        return [0x30, UInt8(numbers.count)] + numbers
    }

    private static func integer(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var digits = Array(bytes.drop { $0 == 0 })
        if digits.isEmpty { digits = [0] }
        if digits[0] & 0x80 != 0 { digits.insert(0, at: 0) }
        return [0x02, UInt8(digits.count)] + digits
    }
}
