// Secrets at rest: AES-256-GCM (NIST SP 800-38D) under a key that lies elsewhere.

import COpenSSL
import Domain

/// Encrypts and authenticates small secrets. Form: a random nonce of 12 bytes, the ciphertext, a tag of 16 bytes.
package enum SealedBox {
    package enum Failure: Fault, Hashable {
        case forgedOrOtherKey

        package var description: String { "a stored secret was encrypted with another key, or was changed" }
    }

    /// - Parameter key: 32 bytes.
    package static func seal(_ secret: [UInt8], key: [UInt8]) -> [UInt8] {
        precondition(key.count == 32, "AES-256 takes a key of 32 bytes")
        let nonce = SecureRandom.bytes(12)
        let context = unsafe EVP_CIPHER_CTX_new()
        defer { unsafe EVP_CIPHER_CTX_free(context) }
        var output = [UInt8](repeating: 0, count: secret.count)
        var tag = [UInt8](repeating: 0, count: 16)
        var (length, last) = (Int32(0), Int32(0))
        unsafe EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce)
        unsafe EVP_EncryptUpdate(context, &output, &length, secret, Int32(secret.count))
        unsafe EVP_EncryptFinal_ex(context, nil, &last)
        unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, &tag)
        return nonce + output + tag
    }

    /// - Throws: `forgedOrOtherKey`.
    package static func open(_ box: [UInt8], key: [UInt8]) throws(Failure) -> [UInt8] {
        guard key.count == 32, box.count >= 28 else { throw .forgedOrOtherKey }
        let (nonce, sealed) = (Array(box.prefix(12)), Array(box.dropFirst(12).dropLast(16)))
        var tag = Array(box.suffix(16))
        let context = unsafe EVP_CIPHER_CTX_new()
        defer { unsafe EVP_CIPHER_CTX_free(context) }
        var output = [UInt8](repeating: 0, count: sealed.count)
        var (length, last) = (Int32(0), Int32(0))
        unsafe EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce)
        unsafe EVP_DecryptUpdate(context, &output, &length, sealed, Int32(sealed.count))
        unsafe EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, &tag)
        guard unsafe EVP_DecryptFinal_ex(context, nil, &last) == 1 else { throw .forgedOrOtherKey }
        return output
    }
}
