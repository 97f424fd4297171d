// The written form of our tokens. Rules: HTTP contract, section 9, row 16: secret scanners find it by its prefix and
// tell it from look-alikes by its checksum.

import Cryptography

/// `af_`, 43 base62 characters of 256 random bits, and 6 of the CRC-32 of those 43.
package enum TokenText {
    private static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// A new one: shown once, never kept.
    package static func fresh() -> String { self.text(of: SecureRandom.bytes(32)) }

    /// - Parameter secret: 32 bytes.
    static func text(of secret: [UInt8]) -> String {
        let body = self.base62(secret, width: 43)
        return "af_" + String(decoding: body + self.checksum(of: body), as: UTF8.self)
    }

    /// Whether a text has the form of our tokens. (Any form is accepted as a credential: this is for finding them.)
    package static func isWellFormed(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 52, bytes.starts(with: "af_".utf8) else { return false }
        return self.checksum(of: Array(bytes[3..<46])) == Array(bytes[46...])
    }

    private static func checksum(of body: [UInt8]) -> [UInt8] {
        let sum = CRC32.checksum(of: body)
        return self.base62((0..<4).map { UInt8(truncatingIfNeeded: sum >> (24 - 8 * $0)) }, width: 6)
    }

    /// A big-endian number in base 62, with leading zeros.
    private static func base62(_ bytes: [UInt8], width: Int) -> [UInt8] {
        var number = bytes
        var text = [UInt8](repeating: self.digits[0], count: width)
        for place in stride(from: width - 1, through: 0, by: -1) {
            var rest = 0
            for index in number.indices {
                let value = rest << 8 | Int(number[index])
                number[index] = UInt8(value / 62)
                rest = value % 62
            }
            text[place] = self.digits[rest]
        }
        return text
    }
}
