// URLs of ours for parts. Rules: HTTP contract, section 9, rows 19 and 33.

import Cryptography
import Domain
import HTTP
import Persistence
import Registry
import TestSupport
import Testing

@Suite struct PartURLTests {
    private static let bytes = Array("part".utf8)
    private static let grounds = Ground.all.filter { $0.storage.description == "file" }

    private static func url(_ session: String, _ scene: UploadScene, part: Int = 1) async throws -> String {
        let answer = await scene.post("\(session)/parts", ["partNumber": JSON(part)])
        let url = try #require(answer["uploadUrl"]?.text)
        #expect(url.hasPrefix("http://registry.example:8443/v1/repos/files/uploads/"))
        return String(url.dropFirst("http://registry.example:8443".count))
    }

    @Test(arguments: grounds)
    func `a URL holds for what it was signed for and nothing else`(ground: Ground) async throws {
        try await ground.withScene { scene in
            try await scene.createRepository("others")
            let (session, second) = (try await scene.session(Self.bytes), try await scene.session(Self.bytes))
            let url = try await Self.url(session, scene)
            let id = session.split(separator: "/").last ?? ""
            let otherID = second.split(separator: "/").last ?? ""
            let forged = [
                url.replacing("/parts/1?", with: "/parts/2?"), url.replacing(id, with: otherID),
                url.replacing("/files/", with: "/others/"), url.replacing("limit=4", with: "limit=400"),
                url.replacing("expires=1", with: "expires=9"),
                String(url.dropLast()) + (url.hasSuffix("0") ? "1" : "0"),
                String(url.dropLast(64)),
            ]
            for url in forged {
                #expect(await scene.send("PUT", url, body: Self.bytes, token: "").status == 403, "\(url)")
            }
            let lacking = String(url.prefix { $0 != "?" })
            #expect(await scene.send("PUT", lacking, body: Self.bytes, token: "").status == 400)
            #expect(await scene.send("PUT", url, body: Self.bytes + [0], token: "").status == 413)
            let put = await scene.send("PUT", url, body: Self.bytes, token: "")
            #expect(put.status == 200 && put[header: "etag"] == "\"\(SHA256.digest(of: Self.bytes).hex)\"")
            #expect(await scene.send("PUT", url, body: Self.bytes, token: "").status == 200)
            scene.pass(seconds: Int64(UploadScene.partLifetime))
            #expect(await scene.send("PUT", url, body: Self.bytes, token: "").status == 403)
        }
    }

    @Test(arguments: grounds)
    func `a session that takes no parts any more refuses them`(ground: Ground) async throws {
        try await ground.withScene { scene in
            let session = try await scene.session(Self.bytes)
            let url = try await Self.url(session, scene)
            let tag = try await scene.put(Self.bytes, url: "http://registry.example:8443" + url)
            #expect(await scene.complete(session, [tag]).status == 200)
            #expect(await scene.send("PUT", url, body: Self.bytes, token: "").status == 409)
            let aborted = try await scene.session(Self.bytes)
            let old = try await Self.url(aborted, scene)
            #expect(await scene.post("\(aborted)/abort").status == 200)
            #expect(await scene.send("PUT", old, body: Self.bytes, token: "").status == 409)
            #expect(try await scene.orphans().count == 1)  // the session that waits for its commit
        }
    }

    @Test(arguments: Engine.direct)
    func `the key is made once, and is worth nothing without the secret`(engine: Engine) async throws {
        try await engine.withDatabase { database in
            let secret = [UInt8](repeating: 1, count: 32)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 { group.addTask { _ = try await PartSigner.settle(under: secret, in: database) } }
                try await group.waitForAll()
            }
            let kept = try await database.lookup { try InstallationStore.value("part-url-key", $0) }
            #expect(kept?.count == 2 * (12 + 32 + 16))
            await #expect(throws: SealedBox.Failure.forgedOrOtherKey) {
                try await PartSigner.settle(under: [UInt8](repeating: 2, count: 32), in: database)
            }
        }
    }
}
