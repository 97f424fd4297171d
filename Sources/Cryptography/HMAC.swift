// Keyed hashes (RFC 2104), and comparison that takes the same time whatever differs.

import COpenSSL

package enum HMAC {
    /// HMAC-SHA-256: 32 bytes.
    package static func sha256(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
            var length: UInt32 = 0
            let ended = unsafe COpenSSL.HMAC(
                EVP_sha256(), key, Int32(key.count), message, message.count, buffer.baseAddress, &length)
            precondition(unsafe ended != nil, "SHA-256 is not available")
            count = Int(length)
        }
    }

    package static func sha256(_ message: String, key: [UInt8]) -> [UInt8] {
        self.sha256(Array(message.utf8), key: key)
    }
}

package enum ConstantTime {
    /// Whether both are the same, told in a time that depends on their lengths only.
    package static func equal(_ left: some Sequence<UInt8>, _ right: some Sequence<UInt8>) -> Bool {
        let (left, right) = (Array(left), Array(right))
        guard left.count == right.count else { return false }
        return unsafe CRYPTO_memcmp(left, right, left.count) == 0
    }
}
