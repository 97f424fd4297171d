// Unicode normalization form C (UAX #15), by libutf8proc: Swift's standard library has it, but not in its public API.

import CUTF8Proc
import Domain
import Glibc

package enum NormalizationFormC {
    /// Whether a text is in form C and no other text has it as its form C: ASCII without `K`, `;` and `` ` ``, which
    /// U+212A, U+037E and U+1FEF are normalized to.
    package static func isUnmistakable(_ text: String) -> Bool {
        text.utf8.allSatisfy { byte in
            byte < 0x80 && byte != UInt8(ascii: "K") && byte != UInt8(ascii: ";") && byte != UInt8(ascii: "`")
        }
    }

    /// The text in form C; nil if there is no memory for it.
    package static func of(_ text: String) -> String? {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
        var text = text
        return text.withUTF8 { bytes -> String? in
            var normalized: UnsafeMutablePointer<UInt8>?
            let options = utf8proc_option_t(
                rawValue: UTF8PROC_STABLE.rawValue | UTF8PROC_COMPOSE.rawValue)
            let count = unsafe utf8proc_map(bytes.baseAddress, bytes.count, &normalized, options)
            guard count >= 0, let start = unsafe normalized else { return nil }
            defer { unsafe free(start) }
            return unsafe String(
                validating: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
        }
    }
}
