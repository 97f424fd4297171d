// Which addresses a user's URL may lead to, however they are written; and that it is asked at each connection.

import HTTP
import HTTPClient
import Synchronization
import TestSupport
import Testing

@Suite struct PublicAddressTests {
    @Test(arguments: [
        "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.2.1", "198.18.0.1", "198.19.255.255", "224.0.0.1",
        "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "2002:7f00:1::",
        "2002:c0a8:101::1", "2001:db8::1", "2001::1", "3fff::1", "not an address", "",
    ])
    func `what isn't of the public Internet is refused`(address: String) {
        #expect(!PublicAddresses.contains(address))
    }

    @Test(arguments: [
        "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.1", "172.15.0.1", "172.32.0.1", "192.167.0.1", "100.63.255.255",
        "100.128.0.1", "198.17.0.1", "198.20.0.1", "223.255.255.255", "2606:4700::1111", "2a00:1450::1",
        "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
    ])
    func `what is of the public Internet is let through`(address: String) {
        #expect(PublicAddresses.contains(address))
    }

    @Test(arguments: [
        ("example.org", true), ("localhost", false), ("a.localhost", false), ("127.0.0.1", false), ("::1", false),
        ("8.8.8.8", true),
    ])
    func `a host may be named where it is a name, or public`(host: String, isAllowed: Bool) {
        #expect(PublicAddresses.mayBeNamed(host) == isAllowed)
    }

    @Test(arguments: ["127.0.0.1", "localhost", "0", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]"])
    func `no spelling of our own address gets a connection`(host: String) async throws {
        let visits = Mutex(0)
        let server = RawServer { client in
            visits.withLock { $0 += 1 }
            _ = client.readHead()
        }
        var configuration = HTTPClient.Configuration()
        configuration.allowsAddress = { address, _ in PublicAddresses.contains(address) }
        let client = HTTPClient(configuration)
        await #expect(throws: HTTPClientFault.self) {
            _ = try await client.send(ClientRequest("POST", "http://\(host):\(server.port)/"))
        }
        #expect(visits.withLock { $0 } == 0)
    }
}
