// What settings ask of each other, and what this build lacks. Rules: HTTP contract, section 5 and 9, row 34.

import Domain
import Settings
import Testing

@Suite struct CheckTests {
    @Test(arguments: ["0.0.0.0:8080", "192.0.2.1:8080", "[::]:8080", "af.example:80"])
    func `an open address needs TLS, a proxy or consent`(address: String) {
        let flags = ["--listen", address]
        let line = refusal(nil, flags)
        #expect(
            line?.hasPrefix("listen (--listen): \(address) can be reached from other machines and would be without")
                == true)
        #expect(refusal(nil, flags + ["--allow-insecure-http"]) == nil)
        #expect(refusal(nil, flags + ["--trusted-proxies", "10.0.0.1"]) == nil)
        #expect(refusal(nil, flags + ["--tls.certificate-file", "c.pem", "--tls.key-file", "k.pem"]) == nil)
    }

    @Test(arguments: ["127.0.0.1:1", "127.8.8.8:1", "[::1]:1", "localhost:1", "LOCALHOST:1", "[::ffff:127.0.0.1]:1"])
    func `a loopback address needs nothing`(address: String) { #expect(refusal(nil, ["--listen", address]) == nil) }

    @Test func `certificate and key go together`() {
        #expect(
            refusal(nil, ["--tls.client-ca-file", "a.pem"])
                == "tls.certificateFile (default): is required with tls.clientCaFile (--tls.client-ca-file); "
                + "allowed: a path")
        #expect(
            refusal(nil, ["--tls.key-file", "k.pem"])
                == "tls.certificateFile (default): is required with tls.keyFile (--tls.key-file); allowed: a path")
        #expect(
            refusal(nil, ["--tls.certificate-file", "k.pem"])
                == "tls.keyFile (default): is required with tls.certificateFile (--tls.certificate-file); allowed: a path"
        )
    }

    @Test func `s3 needs both keys`() {
        let url = ["--storage.url", "s3://bucket"]
        #expect(
            refusal(nil, url)
                == "storage.s3.accessKey (default): is required with storage.url (--storage.url); allowed: "
                + "text, one line, without blanks at its ends")
        #expect(
            refusal(nil, url + ["--storage.s3.access-key", "a"])?.hasPrefix("storage.s3.secretKey (default): ") == true)
        #expect(refusal(nil, url + ["--storage.s3.access-key", "a", "--storage.s3.secret-key", "b"]) == nil)
    }

    @Test(arguments: ["auth.oidc.jwks", "auth.saml.metadata"])
    func `staleness is not below the interval`(stem: String) throws {
        let flags = ["--\(stem)-refresh-interval-seconds", "1000"]
        #expect(refusal(nil, flags) == nil)
        #expect(refusal(nil, flags + ["--\(stem)-max-staleness-seconds", "1000"]) == nil)
        #expect(
            refusal(nil, flags + ["--\(stem)-max-staleness-seconds", "999"])
                == "\(stem)MaxStalenessSeconds (--\(stem)-max-staleness-seconds): 999; allowed: "
                + "\(stem)RefreshIntervalSeconds..604800, here 1000..604800")
    }

    @Test func `staleness follows the interval`() throws {
        #expect(try read(nil, ["--auth.oidc.jwks-refresh-interval-seconds", "400"])[.oidcMaxStalenessSeconds] == 1200)
        #expect(
            try read(nil, ["--auth.saml.metadata-refresh-interval-seconds", "30"])[.samlMaxStalenessSeconds] == 900)
    }

    @Test(arguments: [
        (
            ["--auth.oidc.enabled"],
            "auth.oidc.enabled (--auth.oidc.enabled): this build does not include OpenID Connect"
        ),
        (["--auth.saml.enabled=true"], "auth.saml.enabled (--auth.saml.enabled): this build does not include SAML"),
        (
            ["--telemetry.otlp-endpoint", "http://127.0.0.1:4318"],
            "telemetry.otlpEndpoint (--telemetry.otlp-endpoint): this build does not include OTLP export"
        ),
    ])
    func `what this build lacks stops the start`(flags: [String], line: String) { #expect(refusal(nil, flags) == line) }

    @Test func `database and blobs are in data unless told otherwise`() throws {
        let configuration = try read(nil, ["--data", "/srv/af"])
        #expect(configuration[.databaseURL] == .sqlite(path: "/srv/af/artifortress.db"))
        #expect(configuration[.storageURL] == .file(path: "/srv/af/blobs"))
        #expect(configuration[.migrateAtStart])
    }

    @Test func `PostgreSQL is not migrated at start unless told to`() throws {
        let url = ["--database.url", "postgres://h/n"]
        #expect(try !read(nil, url)[.migrateAtStart])
        #expect(try read(nil, url + ["--migrate.at-start"])[.migrateAtStart])
    }

    @Test func `logs are text on a terminal`() throws {
        #expect(try read(isTerminal: true)[.logFormat] == .text)
        #expect(try read(isTerminal: false)[.logFormat] == .json)
    }
}
