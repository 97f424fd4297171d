// Values that have a written form of their own.

import Domain
import Settings
import Testing

@Suite struct ValueTests {
    @Test func `an s3 URL has bucket, prefix, endpoint, region and style`() throws {
        guard
            case .s3(let bucket) = StorageURL(
                "s3://my-bucket/a/b/?endpoint=http%3A%2F%2F127.0.0.1:9000&region=eu-west-1&pathStyle=false")
        else { return #expect(Bool(false)) }
        #expect(bucket.name == "my-bucket")
        #expect(bucket.prefix == "a/b/")
        #expect(bucket.endpoint?.description == "http://127.0.0.1:9000")
        #expect(bucket.region == "eu-west-1")
        #expect(!bucket.usesPathStyle)
    }

    @Test(arguments: [
        ("s3://bucket", "s3://bucket/?region=us-east-1&pathStyle=false"),
        ("s3://bucket/", "s3://bucket/?region=us-east-1&pathStyle=false"),
        ("s3://bucket/p?endpoint=https://h", "s3://bucket/p/?endpoint=https://h&region=us-east-1&pathStyle=true"),
        ("file:///srv/x", "file:/srv/x"), ("file:x", "file:x"),
    ])
    func `a storage URL is shown with what holds`(text: String, shown: String) {
        #expect(StorageURL(text)?.description == shown)
    }

    @Test(arguments: [
        ("https://Af.Example/", "https://af.example"), ("HTTP://h:80/a/b//", "http://h:80/a/b"),
        ("https://[::1]:8/x", "https://[::1]:8/x"),
    ])
    func `a base URL has no slash at its end`(text: String, shown: String) {
        #expect(BaseURL(text)?.description == shown)
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.1.2.3/8", "10.9.9.9", true),
        ("192.0.2.128/25", "192.0.2.127", false), ("192.0.2.128/25", "192.0.2.129", true),
        ("192.0.2.1", "192.0.2.1", true),
        ("192.0.2.1", "192.0.2.2", false), ("0.0.0.0/0", "8.8.8.8", true), ("0.0.0.0/0", "::1", false),
        ("fd00::/8", "fdab::1", true), ("fd00::/8", "fe80::1", false), ("::/0", "2001:db8::1", true),
        ("10.0.0.0/8", "::ffff:10.0.0.1", true), ("::1", "::1", true),
    ])
    func `a range holds its addresses`(range: String, address: String, isInside: Bool) throws {
        let range = try #require(AddressRange(range))
        let address = try #require(NetworkAddress(address))
        #expect(range.contains(address) == isInside)
    }

    @Test func `role mappings are trimmed, claims lower-cased`() throws {
        let mappings = try #require(RoleMappings(" Groups | Dev Team |libs| Write ;groups|*|*|read"))
        #expect(mappings.mappings.map(\.description) == ["groups|Dev Team|libs|write", "groups|*|*|read"])
    }
}
