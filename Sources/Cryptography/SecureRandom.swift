// Random bytes for secrets.

import COpenSSL

package enum SecureRandom {
    package static func bytes(_ count: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            let made = unsafe RAND_bytes(buffer.baseAddress, Int32(count))
            precondition(made == 1, "the system gives no random bytes")  // better no token than a guessable one
            filled = count
        }
    }
}
