// Published vectors: "Signature Calculations for the Authorization Header" and "Authenticating Requests: Using Query
// Parameters" of Amazon S3's API reference, and the AWS Signature Version 4 test suite.

import Domain
import Testing

@testable import S3

@Suite struct SignatureTests {
    private static let signer = Signer(
        credentials: S3Credentials(
            accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        region: "us-east-1")
    private static let time = Timestamp(rfc3339: "2013-05-24T00:00:00Z")!
    private static let host = "examplebucket.s3.amazonaws.com"
    private static let empty = BlobDigest.ofNothing.hex

    private func signature(_ request: SignableRequest, payload: String = empty) throws -> String {
        let headers = Self.signer.headers(for: request, payload: payload, at: Self.time)
        let authorization = try #require(headers.first { $0.name == "Authorization" })
        return String(authorization.value.suffix(64))
    }

    @Test func `S3's example of getting an object`() throws {
        let request = SignableRequest(
            method: "GET", host: Self.host, path: "/test.txt", headers: [("Range", "bytes=0-9")])
        let headers = Self.signer.headers(for: request, payload: Self.empty, at: Self.time)
        #expect(headers.map(\.name) == ["x-amz-content-sha256", "x-amz-date", "Authorization"])
        #expect(
            headers.last?.value == "AWS4-HMAC-SHA256 "
                + "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
                + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    }

    @Test func `S3's example of putting an object`() throws {
        let request = SignableRequest(
            method: "PUT", host: Self.host, path: "/test%24file.text",
            headers: [
                ("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ])
        let payload = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
        #expect(Payload.bytes(Array("Welcome to Amazon S3.".utf8)).digest == payload)
        #expect(
            try self.signature(request, payload: payload)
                == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
    }

    @Test func `S3's example of getting a bucket's life cycle`() throws {
        let request = SignableRequest(method: "GET", host: Self.host, path: "/", query: [("lifecycle", "")])
        #expect(
            try self.signature(request) == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
    }

    @Test func `S3's example of listing objects`() throws {
        let request = SignableRequest(
            method: "GET", host: Self.host, path: "/", query: [("prefix", "J"), ("max-keys", "2")])
        #expect(
            try self.signature(request) == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
    }

    @Test func `S3's example of a presigned URL`() {
        let query = Self.signer.presignedQuery(
            for: SignableRequest(method: "GET", host: Self.host, path: "/test.txt"), validFor: 86400, at: Self.time)
        #expect(
            query == "X-Amz-Algorithm=AWS4-HMAC-SHA256"
                + "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
                + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
                + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
    }

    @Test(arguments: [
        ("GET", "", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        (
            "GET", "Param2=value2&Param1=value1", "",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
        ),
        ("POST", "", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    ])
    func `the test suite's requests`(method: String, query: String, headers: String, signature: String) throws {
        let signer = Signer(
            credentials: S3Credentials(
                accessKey: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            region: "us-east-1", service: "service")
        let time = try #require(Timestamp(rfc3339: "2015-08-30T12:36:00Z"))
        let request = SignableRequest(
            method: method, host: "example.amazonaws.com", path: "/",
            query: query.split(separator: "&").map { pair in
                let parts = pair.split(separator: "=")
                return (name: String(parts[0]), value: String(parts[1]))
            }, headers: [("x-amz-date", "20150830T123600Z")])
        let authorization = signer.authorization(for: request, payload: Self.empty, at: time)
        #expect(authorization.hasSuffix("SignedHeaders=host;x-amz-date,Signature=\(signature)"))
    }

    @Test func `a session's token is signed and sent`() throws {
        var credentials = Self.signer.credentials
        credentials.sessionToken = "token"
        let signer = Signer(credentials: credentials, region: "us-east-1")
        let request = SignableRequest(method: "GET", host: Self.host, path: "/")
        let headers = signer.headers(for: request, payload: Self.empty, at: Self.time)
        #expect(headers.contains { $0.name == "x-amz-security-token" && $0.value == "token" })
        #expect(headers.last?.value.contains("x-amz-date;x-amz-security-token") == true)
        #expect(
            signer.presignedQuery(for: request, validFor: 1, at: Self.time).contains("X-Amz-Security-Token=token&"))
    }
}

@Suite struct AddressTests {
    @Test(arguments: [
        (nil, true, "https", "s3.eu-west-1.amazonaws.com", "/bucket/a/b%2Bc"),
        (nil, false, "https", "bucket.s3.eu-west-1.amazonaws.com", "/a/b%2Bc"),
        ("http://127.0.0.1:9000", true, "http", "127.0.0.1:9000", "/bucket/a/b%2Bc"),
        ("http://Store.example:80/", false, "http", "bucket.store.example", "/a/b%2Bc"),
        ("https://store.example:443", true, "https", "store.example", "/bucket/a/b%2Bc"),
        ("https://store.example:80", true, "https", "store.example:80", "/bucket/a/b%2Bc"),
    ])
    func `an endpoint says where objects are`(
        endpoint: String?, usesPathStyle: Bool, scheme: String, host: String, path: String
    ) throws {
        var location = S3Location(
            bucket: "bucket", credentials: S3Credentials(accessKey: "a", secretKey: "b"))
        (location.endpoint, location.usesPathStyle, location.region) = (endpoint, usesPathStyle, "eu-west-1")
        let address = try S3Address(location)
        #expect((address.scheme, address.host, address.path("a/b+c")) == (scheme, host, path))
        #expect(address.path("") == (usesPathStyle ? "/bucket" : "/"))
    }

    @Test(arguments: ["", "host", "ftp://host", "http://", "http://host/path"])
    func `what is no endpoint is refused`(endpoint: String) {
        var location = S3Location(
            bucket: "bucket", credentials: S3Credentials(accessKey: "a", secretKey: "b"))
        location.endpoint = endpoint
        #expect(throws: (any Error).self) { try S3Address(location) }
    }
}
