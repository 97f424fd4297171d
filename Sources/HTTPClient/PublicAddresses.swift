// Which addresses a URL that a user gives us may lead to: those of the public Internet. It is asked of each address that is
// connected to, so that no name, and no answer of a name server, leads elsewhere. Ranges: IANA's registries of
// special-purpose addresses (RFC 6890) for IPv4 and IPv6; RFC 6052 and RFC 3056 for IPv4 within IPv6.

import Glibc

package enum PublicAddresses {
    /// Addresses by their first bits: network and length.
    private static let special4: [(UInt32, Int)] = [
        (0x0000_0000, 8),  // this network
        (0x0A00_0000, 8),  // private
        (0x6440_0000, 10),  // carriers' NAT
        (0x7F00_0000, 8),  // loopback
        (0xA9FE_0000, 16),  // link-local; clouds' metadata
        (0xAC10_0000, 12),  // private
        (0xC000_0000, 24),  // protocol assignments
        (0xC000_0200, 24),  // documentation
        (0xC058_6300, 24),  // 6to4 relays
        (0xC0A8_0000, 16),  // private
        (0xC612_0000, 15),  // benchmarks
        (0xC633_6400, 24),  // documentation
        (0xCB00_7100, 24),  // documentation
        (0xE000_0000, 3),  // multicast, reserved, broadcast
    ]

    /// Whether it is a public address: not loopback, private, link-local or reserved.
    ///
    /// - Parameter text: an address in numbers; a zone (`%eth0`) may follow.
    package static func contains(_ text: String) -> Bool {
        let text = String(text.prefix { $0 != "%" })
        var bytes = [UInt8](repeating: 0, count: 16)
        if unsafe inet_pton(AF_INET, text, &bytes) == 1 { return self.contains(version4: bytes.prefix(4)) }
        guard unsafe inet_pton(AF_INET6, text, &bytes) == 1 else { return false }
        return self.contains(version6: bytes)
    }

    /// Whether a URL may name that host: a name, or a public address.
    package static func mayBeNamed(_ host: String) -> Bool {
        var bytes = [UInt8](repeating: 0, count: 16)
        let isAddress = unsafe inet_pton(AF_INET, host, &bytes) == 1 || inet_pton(AF_INET6, host, &bytes) == 1
        return isAddress ? self.contains(host) : host != "localhost" && !host.hasSuffix(".localhost")
    }

    private static func contains(version4 bytes: some Collection<UInt8>) -> Bool {
        let address = bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return !self.special4.contains { network, length in address >> (32 - length) == network >> (32 - length) }
    }

    private static func contains(version6 bytes: [UInt8]) -> Bool {
        let isZero = { (range: Range<Int>) in bytes[range].allSatisfy { $0 == 0 } }
        // IPv4 in IPv6: mapped, compatible, translated (also locally), 6to4.
        if isZero(0..<10), bytes[10] == 0xFF, bytes[11] == 0xFF { return self.contains(version4: bytes[12...]) }
        if bytes.starts(with: [0x00, 0x64, 0xFF, 0x9B]) {
            return isZero(4..<12) && self.contains(version4: bytes[12...])
        }
        if bytes[0] == 0x20, bytes[1] == 0x02 { return self.contains(version4: bytes[2..<6]) }
        // Nothing else outside of global unicast (2000::/3), and of that no documentation and no protocol assignments
        // (2001::/23 with Teredo).
        guard bytes[0] & 0xE0 == 0x20 else { return false }
        if bytes.starts(with: [0x20, 0x01, 0x0D, 0xB8]) || bytes.starts(with: [0x3F, 0xFF]) && bytes[2] & 0xF0 == 0 {
            return false
        }
        return !(bytes.starts(with: [0x20, 0x01]) && bytes[2] & 0xFE == 0)
    }
}
