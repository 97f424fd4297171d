// What is hidden in logs and audit rows, and what isn't. Rules: HTTP contract, 1.7.

import Domain
import Testing

@Suite struct RedactionTests {
    @Test(arguments: [
        ("token", true), ("Token", true), ("accessToken", true), ("clientSecret", true), ("password", true),
        ("Authorization", true), ("samlAssertion", true), ("privateKey", true), ("private_key", true),
        ("accessKey", true), ("s3_access_key_id", true), ("tokenId", false), ("token_id", false),
        ("tokenHash", false), ("secretDigest", false), ("passwordChecksum", false), ("blobDigest", false),
        ("blob_digest", false), ("repoKey", false), ("subject", false), ("", false), ("key", false),
    ])
    func `a key that names a secret hides its value`(key: String, isHidden: Bool) {
        #expect(Redaction.hides(key: key) == isHidden)
        #expect(Redaction.value("value", of: key) == (isHidden ? "[REDACTED]" : "value"))
    }

    private static let token = "af_" + String(repeating: "aB3", count: 16) + "z"

    @Test(arguments: [
        (
            "Authorization failed for Bearer abc.def-123_~+/=, sorry",
            "Authorization failed for Bearer [REDACTED], sorry"
        ),
        ("bearer   xyz", "bearer   [REDACTED]"),
        ("forbearer xyz", "forbearer xyz"),
        ("bearer", "bearer"),
        ("host=h password=hunter2 user=u", "host=h password=[REDACTED] user=u"),
        ("PASSWORD = hunter2;x=y", "PASSWORD = [REDACTED];x=y"),
        ("password='a b c' dbname=d", "password='[REDACTED]' dbname=d"),
        (#"password="a b" x"#, #"password="[REDACTED]" x"#),
        ("client_secret=s&grant=g", "client_secret=[REDACTED]&grant=g"),
        ("?access_token=t1&token=t2#f", "?access_token=[REDACTED]&token=[REDACTED]"),
        ("tokenId=7 token_id=8 token=", "tokenId=7 token_id=8 token="),
        ("GET /x?X-Amz-Signature=0a1b&X-Amz-Date=d", "GET /x?X-Amz-Signature=[REDACTED]&X-Amz-Date=d"),
        (#"{"token":"abc","x":1}"#, #"{"token":"[REDACTED]","x":1}"#),
        (#"{"Secret" : "a\"b\\", "x":1}"#, #"{"Secret" : "[REDACTED]", "x":1}"#),
        (#"{"password":null,"authorization":7,"x":1}"#, #"{"password":[REDACTED],"authorization":[REDACTED],"x":1}"#),
        (#"{"SAMLResponse":"PHNhbWw+"}"#, #"{"SAMLResponse":"[REDACTED]"}"#),
        (#"{"token":{"a":"}","b":["x"]},"c":2}"#, #"{"token":[REDACTED],"c":2}"#),
        (#"{"token":{"a":"#, #"{"token":[REDACTED]"#),
        (#"{"tokenId":"7","digest":"d"}"#, #"{"tokenId":"7","digest":"d"}"#),
        (#""{\"token\":\"abc\",\"x\":1}""#, #""{\"token\":\"[REDACTED]\",\"x\":1}""#),
        (#"{"token":"abc"#, #"{"token":"[REDACTED]"#),
        (#"{"token":""}"#, #"{"token":""}"#),
        (
            "<saml:Assertion ID=\"a\"><x/>secret</saml:Assertion><y/>",
            "<saml:Assertion ID=\"a\">[REDACTED]</saml:Assertion><y/>"
        ),
        ("<Assertion>secret", "<Assertion>[REDACTED]"),
        (
            "<xenc:EncryptedData a='b'>c</xenc:EncryptedData>",
            "<xenc:EncryptedData a='b'>[REDACTED]</xenc:EncryptedData>"
        ),
        ("<e:CipherValue>c</e:CipherValue>", "<e:CipherValue>[REDACTED]</e:CipherValue>"),
        ("<Assertion/>after <Assertions>x", "<Assertion/>after <Assertions>x"),
        ("a \(token) b", "a [REDACTED] b"),
        ("af_short is no token", "af_short is no token"),
        (
            "postgres://user:p%40ss:w@host:5432/db?sslmode=require",
            "postgres://user:[REDACTED]@host:5432/db?sslmode=require"
        ),
        ("http://host:80/a:b@c", "http://host:80/a:b@c"),
        ("authorization: Basic dXNlcjpwYXNz\r\nHost: h", "authorization: [REDACTED]\r\nHost: h"),
        (
            "-----BEGIN PRIVATE KEY-----\nMII=\n-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----[REDACTED]-----END PRIVATE KEY-----"
        ),
        (
            "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----",
            "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----"
        ),
        ("péché 日本 password=日本 ü", "péché 日本 password=[REDACTED] ü"),
        ("", ""), ("nothing to hide", "nothing to hide"), ("\"", "\""), ("<", "<"), ("\\\\\"", "\\\\\""),
    ])
    func `secrets in text are hidden`(text: String, expected: String) {
        #expect(Redaction.text(text) == expected)
    }

    @Test func `a document keeps its shape and loses its secrets`() {
        let document: JSON = [
            "a": "token=x", "token": "x", "tokens": ["x", 1], "secret": ["b": "c"], "b": ["password": 7, "c": [true]],
            "tokenId": "7",
        ]
        let expected: JSON = [
            "a": "token=[REDACTED]", "token": "[REDACTED]", "tokens": ["[REDACTED]", "[REDACTED]"],
            "secret": "[REDACTED]", "b": ["password": "[REDACTED]", "c": [true]], "tokenId": "7",
        ]
        #expect(Redaction.document(document) == expected)
    }

    /// Whatever surrounds it, a secret after its word never comes through.
    @Test(arguments: 0..<200)
    func `no surroundings let a secret through`(seed: UInt64) {
        var random = Seeded(seed: seed)
        let scraps = [
            "a", " ", "\"", "\\", "<", ">", "=", ":", "{", "}", "&", "token", "bearer", "日", "\n", "/", "@", "-",
        ]
        func noise() -> String {
            (0..<Int.random(in: 0...12, using: &random)).map { _ in scraps.randomElement(using: &random)! }.joined()
        }
        let announcements = [" bearer ", " password=", "&token=", " client_secret="]
        let secret = "hunter2"
        let text = noise() + announcements.randomElement(using: &random)! + secret + " " + noise()
        #expect(!Redaction.text(text).contains(secret), "\(text.debugDescription)")
    }
}

private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
