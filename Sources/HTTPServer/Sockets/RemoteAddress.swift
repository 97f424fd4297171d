// Where a client connects from: its numeric address, and the network that connections are counted by.

import CLinux
import Glibc

/// The address of a client.
struct RemoteAddress: Sendable {
    /// Numeric, without the port; `local` for a client on a Unix socket.
    let text: String
    /// What the client's connections are counted by; nil for a client on a Unix socket, which is not counted.
    let network: Network?

    /// An IPv4 address, or the first 64 bits of an IPv6 address: one subscriber has all addresses behind those.
    enum Network: Hashable, Sendable {
        case version4(UInt32)
        case version6(UInt64)
    }

    static let unknown = RemoteAddress(text: "", network: nil)

    private init(text: String, network: Network?) {
        self.text = text
        self.network = network
    }

    init(_ storage: sockaddr_storage, length: socklen_t) {
        switch Int32(storage.ss_family) {
        case AF_INET:
            self.text = Self.text(of: storage, length)
            self.network = .version4(Self.word(of: storage, at: 4))
        case AF_INET6:
            let text = Self.text(of: storage, length)
            if text.hasPrefix("::ffff:"), text.utf8.contains(UInt8(ascii: ".")) {
                // A client of IPv4 at a socket of both families.
                self.text = String(text.dropFirst(7))
                self.network = .version4(Self.word(of: storage, at: 20))
            } else {
                self.text = text
                let prefix = UInt64(Self.word(of: storage, at: 8)) << 32 | UInt64(Self.word(of: storage, at: 12))
                self.network = .version6(prefix)
            }
        default:
            self.text = "local"
            self.network = nil
        }
    }

    private static func word(of storage: sockaddr_storage, at offset: Int) -> UInt32 {
        unsafe withUnsafeBytes(of: storage) { bytes in
            unsafe UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
    }

    private static func text(of storage: sockaddr_storage, _ length: socklen_t) -> String {
        unsafe withUnsafePointer(to: storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                // Copied out of the buffer: a string made in place would keep the buffer's size as long as the connection.
                unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(NI_MAXHOST)) { text in
                    let failed = unsafe getnameinfo(
                        address, length, text.baseAddress, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
                    guard failed == 0, let start = text.baseAddress else { return "" }
                    return unsafe String(cString: start)
                }
            }
        }
    }
}
