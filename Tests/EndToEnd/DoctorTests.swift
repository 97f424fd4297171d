// `artifortress doctor`: it changes nothing, and names the cause of what is wrong.

import Domain
import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct DoctorTests {
    private func doctor(_ settings: [String: String]) async throws -> VerbProcess {
        try await VerbProcess.run(["doctor"] + VerbProcess.flags(settings))
    }

    private static func files(in directory: String) -> [String] {
        (FileManager.default.enumerator(atPath: directory)?.compactMap { $0 as? String } ?? []).sorted()
    }

    @Test(arguments: ["", "/data"])
    func `before the first start nothing is created, and that is no error`(data: String) async throws {
        try await TemporaryDirectory.with { directory in
            let run = try await self.doctor(["data": directory + data])
            #expect(run.code == 0, "\(run.output)")
            #expect(run.output.contains("database: \(directory + data)/artifortress.db does not exist yet"))
            #expect(run.output.contains("the first start creates it"))
            #expect(!run.output.contains("schema"))
            #expect(Self.files(in: directory) == [])
        }
    }

    @Test func `of an installation that is there nothing is changed`() async throws {
        try await TemporaryDirectory.with { directory in
            let made = try await VerbProcess.run(["tenant", "list", "--data", "\(directory)/data"])
            #expect(made.code == 0, "\(made.complaints)")
            let before = Self.files(in: directory)
            let run = try await self.doctor(["data": "\(directory)/data"])
            #expect(run.code == 0, "\(run.output)")
            #expect(Self.files(in: directory) == before)
        }
    }

    @Test func `a damaged database is named as such`() async throws {
        try await TemporaryDirectory.with { directory in
            let file = "\(directory)/artifortress.db"
            try Data(repeating: 0x41, count: 20_000).write(to: URL(fileURLWithPath: file))
            let run = try await self.doctor(["data": directory])
            #expect(run.code == 1)
            #expect(run.output.contains("database.url = sqlite:\(file) (default): the database is damaged"))
        }
    }

    @Test(.enabled(if: S3Surroundings.current != nil))
    func `what is wrong with an S3 store is named`() async throws {
        let s3 = try #require(S3Surroundings.current)
        @Sendable func url(_ endpoint: String, bucket: String? = nil) -> String {
            "s3://\(bucket ?? s3.bucket)/doctor-\(UniqueID.random().hex)?endpoint=\(endpoint)&region=\(s3.region)"
        }
        try await TemporaryDirectory.with { directory in
            let base = [
                "data": "\(directory)/data", "storage.s3.accessKey": s3.accessKey, "storage.s3.secretKey": s3.secretKey,
            ]
            // With an installation id in the database, so that the store is asked.
            let made = try await VerbProcess.run(["tenant", "list", "--data", "\(directory)/data"])
            #expect(made.code == 0, "\(made.complaints)")
            try await TLSProxy.with(to: s3.endpoint) { proxy in
                let cases: [(name: String, settings: [String: String], words: [String])] = [
                    (
                        "bucket", ["storage.url": url(s3.endpoint, bucket: "no-such-bucket-here")],
                        ["the bucket does not exist", "NoSuchBucket", "create the bucket"]
                    ),
                    (
                        "access key",
                        ["storage.url": url(s3.endpoint), "storage.s3.accessKey": "NOSUCHKEY00000000001"],
                        ["does not know the access key", "InvalidAccessKeyId", "check storage.s3.accessKey (--storage"]
                    ),
                    (
                        "secret",
                        ["storage.url": url(s3.endpoint), "storage.s3.secretKey": "wrong-secret-of-the-test"],
                        ["the secret key is wrong", "SignatureDoesNotMatch", "check storage.s3.secretKey"]
                    ),
                    (
                        "port", ["storage.url": url("http://127.0.0.1:1")],
                        ["cannot be connected to", "check that the store runs"]
                    ),
                    (
                        "name", ["storage.url": url("http://no-such-host.invalid")],
                        ["host name of the store cannot be resolved", "name service"]
                    ),
                    (
                        "certificate", ["storage.url": url("https://localhost:\(proxy.port)")],
                        ["no trusted TLS connection", "certificate", "storage.s3.caFile"]
                    ),
                ]
                for (name, settings, words) in cases {
                    let run = try await self.doctor(base.merging(settings) { $1 })
                    #expect(run.code == 1, "\(name): \(run.output)")
                    for word in words { #expect(run.output.contains(word), "\(name): '\(word)' in \(run.output)") }
                    #expect(!run.output.contains("wrong-secret-of-the-test"))
                }
                let trusted = try await self.doctor(
                    base.merging([
                        "storage.url": url("https://localhost:\(proxy.port)"), "storage.s3.caFile": proxy.authority,
                        "policy.http.url": "https://localhost:\(proxy.port)/", "policy.http.secret": "a secret",
                        "policy.http.caFile": proxy.authority,
                    ]) { $1 })
                #expect(trusted.code == 0, "\(trusted.output)")
                #expect(trusted.output.contains("policy server: https://localhost:\(proxy.port)/ answers"))
                let untrusted = try await self.doctor(
                    base.merging([
                        "policy.http.url": "https://localhost:\(proxy.port)/", "policy.http.secret": "a secret",
                        "storage.url": "file:\(directory)/blobs",
                    ]) { $1 })
                #expect(untrusted.code == 1 && untrusted.output.contains("no trusted TLS connection"))
            }
        }
    }

    @Test(.enabled(if: S3Surroundings.current != nil))
    func `a server trusts a private authority for its store, and says why it does not trust another`() async throws {
        let s3 = try #require(S3Surroundings.current)
        try await TLSProxy.with(to: s3.endpoint) { proxy in
            let url = { (prefix: String) in
                "s3://\(s3.bucket)/\(prefix)?endpoint=https://localhost:\(proxy.port)&region=\(s3.region)"
            }
            let settings = [
                "storage.s3.accessKey": s3.accessKey, "storage.s3.secretKey": s3.secretKey,
                "storage.url": url("trust-\(UniqueID.random().hex)"), "storage.s3.caFile": proxy.authority,
            ]
            try await Shape.embedded.withServer(settings) { server in
                let token = try await server.token()
                try await server.createRepository("files", token: token)
                #expect(try await server.put("/generic/files/a", [1, 2, 3], token: token).status == 201)
                #expect(try await server.get("/generic/files/a", token: token).body == [1, 2, 3])
                let ready = try await server.get("/health/ready", token: token)
                #expect(ready.status == 200, "\(ready.text)")
            }
        }
    }
}
