// IP addresses and ranges of them (RFC 4291, RFC 4632), for trusted proxies.

import Domain
import Glibc

/// An IPv4 or IPv6 address. An IPv4 address mapped into IPv6 (`::ffff:192.0.2.1`) is taken as the IPv4 address.
package struct NetworkAddress: Hashable, Sendable {
    package enum Family: Hashable, Sendable { case version4, version6 }

    /// Four or sixteen, in network order.
    let bytes: [UInt8]

    package init?(_ text: some StringProtocol) {
        let text = String(text)
        var bytes = [UInt8](repeating: 0, count: 16)
        if unsafe inet_pton(AF_INET, text, &bytes) == 1 {
            self.bytes = Array(bytes[..<4])
        } else if unsafe inet_pton(AF_INET6, text, &bytes) == 1 {
            let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
            self.bytes = isMapped ? Array(bytes[12...]) : bytes
        } else {
            return nil
        }
    }

    package var family: Family { self.bytes.count == 4 ? .version4 : .version6 }

    /// What one subscriber has, in hexadecimal digits: an address of version 4, the first 64 bits of one of version 6.
    package var subscriber: String { Hexadecimal.text(of: self.bytes.prefix(8)) }

    package var isLoopback: Bool {
        self.family == .version4
            ? self.bytes[0] == 127 : self.bytes.dropLast().allSatisfy { $0 == 0 } && self.bytes[15] == 1
    }
}

/// One address, or a range in CIDR form: `10.0.0.0/8`. Bits behind the prefix do not count.
package struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    let base: NetworkAddress
    /// In bits.
    let prefix: Int
    package let description: String

    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let base = parts.first.flatMap({ NetworkAddress($0) }) else { return nil }
        let bits = base.bytes.count * 8
        var prefix = bits
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let given = Int(parts[1]), given <= bits
            else { return nil }
            prefix = given
        }
        self.base = base
        self.prefix = prefix
        self.description = text
    }

    package func contains(_ address: NetworkAddress) -> Bool {
        guard address.family == self.base.family else { return false }
        let (whole, rest) = (self.prefix / 8, self.prefix % 8)
        guard address.bytes[..<whole] == self.base.bytes[..<whole] else { return false }
        guard rest > 0 else { return true }
        let mask = UInt8(truncatingIfNeeded: 0xFF << (8 - rest))
        return address.bytes[whole] & mask == self.base.bytes[whole] & mask
    }
}
