// `artifortress config` and docs/configuration.md.

import Domain
import Foundation
import Settings
import Testing

@Suite struct ListingTests {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static let secrets: [(flag: String, value: String)] = [
        ("--storage.s3.access-key", "hush-1"), ("--storage.s3.secret-key", "hush-2"),
        ("--auth.bootstrap-token", "hush-3"),
        ("--auth.oidc.hs256-shared-secret", "hush-4"), ("--metrics.token", "hush-5"),
        ("--secrets.key", String(repeating: "0badcafe", count: 8)),
        ("--database.url", "postgres://af:hush-6@h:5432/n?sslmode=require&password=hush-7&sslpassword=hush-8"),
    ]

    @Test func `no secret is shown`() throws {
        let configuration = try read(nil, Self.secrets.flatMap { [$0.flag, $0.value] })
        for text in [configuration.text, configuration.json.description, "\(configuration[.s3SecretKey] as Any)"] {
            #expect(!text.contains("hush"))
            #expect(!text.contains("0badcafe"))
        }
        #expect(configuration.text.contains("postgres://af:***@h:5432/n?sslmode=require&password=***&sslpassword=***"))
        #expect(configuration[.s3SecretKey]?.value == "hush-2")
    }

    @Test(arguments: KeyCase.all)
    func `a secret is not repeated where it is refused`(key: KeyCase) throws {
        guard try #require(Catalogue.all.first { $0.name == key.key }).isSecret else { return }
        let line = try #require(refusal(nil, [key.flag, " hush\nhush"]))
        #expect(!line.contains("hush"))
    }

    @Test func `the listing has every key with value and source`() throws {
        let configuration = try read(nil, ["--worker.poll-seconds", "7", "--trusted-proxies", "10.0.0.1,::1"])
        let lines = configuration.text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(lines.map(\.first) == Catalogue.all.map(\.name))
        #expect(lines.contains(["worker.pollSeconds", "7", "--worker.poll-seconds"]))
        #expect(lines.contains(["trustedProxies", "10.0.0.1,::1", "--trusted-proxies"]))
        #expect(lines.contains(["worker.batchSize", "100", "default"]))
        let rows = try #require(configuration.json.elements)
        #expect(rows.contains(["key": "worker.pollSeconds", "value": 7, "source": "--worker.poll-seconds"]))
        #expect(rows.contains(["key": "publicUrl", "value": nil, "source": "default"]))
        #expect(rows.contains(["key": "roles", "value": ["api", "worker"], "source": "default"]))
    }

    @Test func `a setting that is not yet effective is marked as such`() throws {
        let configuration = try read(nil, ["--lifecycle.default-gc-batch-size", "7", "--worker.poll-seconds", "7"])
        #expect(configuration.ineffective.map(\.name) == ["lifecycle.defaultGcBatchSize"])
        #expect(configuration.text.contains("(not yet effective: needs collection)"))
        let rows = try #require(configuration.json.elements)
        #expect(rows.first { $0["key"] == "lifecycle.defaultGcBatchSize" }?["pendingFeature"] == "collection")
        #expect(rows.first { $0["key"] == "worker.pollSeconds" }?["pendingFeature"] == nil)
    }

    @Test func `the page of settings is what the catalogue says`() throws {
        let page = try String(contentsOf: Self.root.appending(path: "docs/configuration.md"), encoding: .utf8)
        #expect(page == Catalogue.documentation, "run 'make docs'")
    }

    @Test func `no setting is declared and left out of the catalogue`() throws {
        let folder = Self.root.appending(path: "Sources/Settings/Catalogue")
        let declared = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .map {
                try String(contentsOf: $0, encoding: .utf8).components(separatedBy: "package static var ").count - 1
            }
        #expect(declared.reduce(0, +) == Catalogue.all.count)
    }

    @Test func `every key is documented`() {
        for key in KeyCase.all { #expect(Catalogue.documentation.contains("\n| `\(key.key)` | ")) }
    }
}
