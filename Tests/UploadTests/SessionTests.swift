// The session routes, called as the contract writes them. Rules: HTTP contract, 3.4, 6.2 and section 9, rows 19, 33, 38,
// 39.

import Cryptography
import Domain
import Persistence
import TestSupport
import Testing

@Suite struct SessionTests {
    private static let bytes = Array("some bytes of an artifact".utf8)
    private static let digest = SHA256.digest(of: bytes).hex

    @Test(arguments: Ground.all)
    func `bytes become a blob step by step, and each step says so`(ground: Ground) async throws {
        try await ground.withScene { scene in
            let opened = await scene.open(Self.digest.uppercased(), Self.bytes.count)
            #expect(opened.status == 201)
            #expect(
                opened.keys == [
                    "uploadId", "repoKey", "expectedDigest", "expectedLength", "state", "deduped", "expiresAtUtc",
                    "objectStagingKey", "storageUploadId",
                ])
            #expect(opened["state"] == "initiated" && opened["deduped"] == false && opened["repoKey"] == "files")
            #expect(opened["expectedDigest"]?.text == Self.digest)
            let id = try #require(opened["uploadId"]?.text)
            let session = "/v1/repos/files/uploads/\(id)"
            #expect(opened[header: "location"] == session)
            let key = try #require(opened["objectStagingKey"]?.text)
            #expect(key.hasPrefix("staging/\(scene.tenant.value.hex)/files/") && !key.contains(id))

            let address = await scene.post("\(session)/parts", ["PartNumber": "1"])
            #expect(address.status == 200 && address["state"] == "parts_uploading" && address["partNumber"] == 1)
            #expect(
                address.keys == ["uploadId", "repoKey", "state", "partNumber", "uploadUrl", "expiresAtUtc"])
            let url = try #require(address["uploadUrl"]?.text)
            #expect(address.text.contains("\"uploadUrl\":\"\(url)\""))  // for sed: nothing is escaped
            let tag = try await scene.put(Self.bytes, url: url)
            #expect(tag.hasPrefix("\""))

            let shown = await scene.send("GET", session)
            #expect(shown.status == 200 && shown["state"] == "parts_uploading")
            #expect(shown["parts"]?.elements?.first?["sizeBytes"] == JSON(Self.bytes.count))

            let completed = await scene.complete(session, [tag])
            #expect(completed.status == 200 && completed["state"] == "pending_commit")
            #expect(completed.keys == ["uploadId", "repoKey", "state", "expectedDigest", "expectedLength"])
            #expect(await scene.complete(session, [tag]).json == completed.json)

            let committed = await scene.post("\(session)/commit")
            #expect(committed.status == 200)
            #expect(committed.keys == ["uploadId", "repoKey", "state", "digest", "length"])
            #expect(committed["digest"]?.text == Self.digest && committed["length"] == JSON(Self.bytes.count))
            #expect(await scene.post("\(session)/commit").json == committed.json)

            let audit = try await scene.audit(of: session)
            #expect(
                audit.map(\.action) == [
                    "upload.session.created", "upload.part.presigned", "upload.completed", "upload.committed",
                ])
            #expect(
                audit.map { Set(($0.details.members ?? []).map(\.name)) } == [
                    ["repoKey", "state", "deduped"], ["repoKey", "partNumber", "state"], ["repoKey", "state"],
                    ["repoKey", "digest", "length", "state"],
                ])
            #expect(try await scene.count("SELECT count(*) FROM blobs WHERE storage_key = \(key)") == 1)
            #expect(try await scene.count("SELECT count(*) FROM staged_objects") == 0)

            let got = await scene.send("GET", "/v1/repos/files/blobs/\(Self.digest)")
            #expect(got.status == 200 && got.body == Self.bytes && got.failure == nil)
        }
    }

    @Test(arguments: Ground.all)
    func `parts come in any order, several at a time, and again`(ground: Ground) async throws {
        try await ground.withScene { scene in
            let length = ground.storage.description == "file" ? 1000 : 5 << 20  // S3 wants 5 MiB of all but the last
            let parts = (0..<3).map { [UInt8](repeating: UInt8($0 + 65), count: length) } + [[1, 2, 3]]
            let body = parts.flatMap(\.self)
            let session = try await scene.session(body)
            _ = try await scene.put([UInt8](repeating: 0, count: length), 3, to: session)  // replaced below
            let tags = try await withThrowingTaskGroup(of: (Int, String).self) { group in
                for (index, part) in parts.enumerated().reversed() {
                    group.addTask { (index, try await scene.put(part, index + 1, to: session)) }
                }
                return try await group.reduce(into: [String](repeating: "", count: 4)) { $0[$1.0] = $1.1 }
            }
            #expect(await scene.complete(session, tags).status == 200)
            #expect(await scene.post("\(session)/commit").status == 200)
            let got = await scene.send("GET", "/v1/repos/files/blobs/\(SHA256.digest(of: body).hex)")
            #expect(got.body == body)
            let shown = await scene.send("GET", session)
            #expect(shown["parts"]?.elements?.compactMap { $0["partNumber"]?.integer } == [1, 2, 3, 4])
        }
    }

    @Test(arguments: Ground.all)
    func `other bytes than announced abort the session and leave nothing`(ground: Ground) async throws {
        try await ground.withScene { scene in
            let other = Array("more bytes of an artifact".utf8)
            let cases: [(sent: [UInt8], digest: String, length: Int, reason: String)] = [
                (other, Self.digest, other.count, "digest_mismatch"),
                (Self.bytes, Self.digest, Self.bytes.count + 1, "length_mismatch"),
                (Array(other.dropLast()), Self.digest, other.count, "digest_mismatch"),
            ]
            for test in cases {
                let session = try await scene.session([], digest: test.digest, length: test.length)
                let tag = try await scene.put(test.sent, to: session)
                #expect(await scene.complete(session, [tag]).status == 200)
                let answer = await scene.post("\(session)/commit")
                #expect(answer.status == 409 && answer["error"] == "upload_verification_failed")
                #expect(answer["expectedDigest"]?.text == test.digest)
                #expect(answer["actualDigest"]?.text == SHA256.digest(of: test.sent).hex)
                #expect(
                    answer["expectedLength"] == JSON(test.length) && answer["actualLength"] == JSON(test.sent.count))
                #expect(try await scene.state(of: session) == .aborted)
                let row = try #require(try await scene.audit(of: session).last)
                #expect(row.action == "upload.commit.verification_failed")
                #expect(row.details["reason"]?.text == test.reason)
                #expect(row.details["actualLength"]?.text == String(test.sent.count))
                #expect(await scene.post("\(session)/commit").status == 409)
            }
            #expect(try await scene.storage.keys() == [])
            #expect(try await scene.count("SELECT count(*) FROM blobs") == 0)
            #expect(try await scene.count("SELECT count(*) FROM staged_objects") == 0)
        }
    }

    @Test(arguments: Ground.all)
    func `more bytes than announced are refused before anything is hashed`(ground: Ground) async throws {
        try await ground.withScene { scene in
            guard ground.storage.description == "file" else { return }
            let session = try await scene.session(Self.bytes, length: 10)
            await #expect(throws: SceneFailure.self) { try await scene.put(Self.bytes, to: session) }
            let tags = [
                try await scene.put(Array(Self.bytes[..<10]), 1, to: session),
                try await scene.put(Array(Self.bytes[10...14]), 2, to: session),
            ]
            let answer = await scene.complete(session, tags)
            #expect(answer.status == 409 && answer["error"] == "conflict")
            #expect(answer["expectedLength"] == 10 && answer["actualLength"] == 15)
            #expect(try await scene.state(of: session) == .partsUploading)
            #expect(await scene.complete(session, [tags[0]]).status == 200)  // it can still be mended
        }
    }

    @Test(arguments: Ground.all)
    func `what can't be is refused in the contract's order`(ground: Ground) async throws {
        try await ground.withScene { scene in
            let session = try await scene.session(Self.bytes)
            let path = "/v1/repos/files/uploads"
            let absent = "/v1/repos/files/uploads/\(UniqueID.random())"
            let length = JSON(Self.bytes.count)
            let cases: [(path: String, body: JSON?, status: Int, code: String)] = [
                (path, ["expectedDigest": "xyz", "expectedLength": 1], 400, "bad_request"),
                (path, ["expectedDigest": .string(Self.digest), "expectedLength": 0], 400, "bad_request"),
                (path, ["expectedDigest": .string(Self.digest)], 400, "bad_request"),
                (path, ["expectedLength": length], 400, "bad_request"),
                (path, nil, 400, "bad_request"),
                ("/v1/repos/nowhere/uploads", ["expectedDigest": "xyz"], 404, "not_found"),
                ("/v1/repos/files/uploads/xyz/parts", ["partNumber": 1], 400, "bad_request"),
                ("\(session)/parts", ["partNumber": 0], 400, "bad_request"),
                ("\(session)/parts", [:], 400, "bad_request"),
                ("\(session)/parts", ["partNumber": 10_001], 400, "bad_request"),
                ("\(absent)/parts", ["partNumber": 1], 404, "not_found"),
                ("\(session)/complete", ["parts": []], 400, "bad_request"),
                ("\(session)/complete", ["parts": [["partNumber": 1, "eTag": "\"\""]]], 400, "bad_request"),
                (
                    "\(session)/complete",
                    ["parts": [["partNumber": 1, "eTag": "a"], ["partNumber": 1, "eTag": "b"]]], 400, "bad_request"
                ),
                ("\(session)/complete", ["parts": [["partNumber": 1, "eTag": "a"]]], 409, "conflict"),
                ("\(absent)/complete", ["parts": [["partNumber": 1, "eTag": "a"]]], 404, "not_found"),
                ("\(session)/commit", nil, 409, "conflict"), ("\(absent)/commit", nil, 404, "not_found"),
                ("\(absent)/abort", nil, 404, "not_found"),
            ]
            for test in cases {
                let answer = await scene.post(test.path, test.body)
                #expect(answer.status == test.status, "\(test.path) \(test.body ?? .null): \(answer)")
                #expect(answer["error"]?.text == test.code, "\(test.path): \(answer)")
            }
            #expect(await scene.send("GET", absent).status == 404)
            let tag = try await scene.put(Self.bytes, to: session)
            let wrong = await scene.complete(session, [String(tag.reversed())])
            #expect(wrong.status == 503 && wrong["error"] == "service_unavailable")
            #expect(await scene.complete(session, [tag]).status == 200)  // the session is as it was
            #expect(await scene.post("\(session)/parts", ["partNumber": 1]).status == 409)
            #expect(await scene.post("\(session)/commit").status == 200)
            for step in ["parts", "complete", "abort"] {
                let body: JSON = ["partNumber": 1, "parts": [["partNumber": 1, "eTag": "a"]]]
                #expect(await scene.post("\(session)/\(step)", body).status == 409, "\(step)")
            }
        }
    }

    @Test(arguments: Ground.all)
    func `who may not write learns nothing`(ground: Ground) async throws {
        try await ground.withScene { scene in
            let session = try await scene.session(Self.bytes)
            let other = try await scene.otherTenant()
            let admin = try await scene.issue(["repo:*:admin"], tenant: other)
            try await scene.createRepository("files", token: admin)
            let reader = try await scene.issue(["repo:files:read"])
            for step in ["", "/parts", "/complete", "/commit", "/abort"] {
                let method = step.isEmpty ? "GET" : "POST"
                let body: JSON = ["partNumber": 1, "parts": [["partNumber": 1, "eTag": "a"]]]
                let headers = [("Content-Type", "application/json")]
                for (token, status) in [("", 401), ("garbage", 401), (reader, 403), (admin, 404)] {
                    let answer = await scene.send(
                        method, session + step, token.isEmpty ? headers + [("X-No", "token")] : headers,
                        body: step.isEmpty ? [] : body.bytes, token: token)
                    #expect(answer.status == status, "\(step): \(answer)")
                }
            }
            #expect(try await scene.state(of: session) == .initiated)
        }
    }

    @Test(arguments: Ground.all)
    func `an abort frees what was stored, and may be said again`(ground: Ground) async throws {
        try await ground.withScene { scene in
            let session = try await scene.session(Self.bytes)
            let tag = try await scene.put(Self.bytes, to: session)
            let first = await scene.post("\(session)/abort", ["reason": " no longer needed "])
            #expect(first.status == 200 && first["reason"] == "no longer needed" && first["state"] == "aborted")
            #expect(first.keys == ["uploadId", "repoKey", "state", "reason"])
            let second = await scene.post("\(session)/abort")
            #expect(second.status == 200 && second["reason"] == "client_abort")
            #expect(try await scene.audit(of: session).filter { $0.action == "upload.aborted" }.count == 1)
            #expect(try await scene.storage.keys() == [])
            #expect(try await scene.count("SELECT count(*) FROM staged_objects") == 0)
            #expect(await scene.complete(session, [tag]).status == 409)
            #expect(await scene.post("\(session)/parts", ["partNumber": 1]).status == 409)

            let completed = try await scene.session(Self.bytes)
            let again = try await scene.put(Self.bytes, to: completed)
            #expect(await scene.complete(completed, [again]).status == 200)
            #expect(await scene.post("\(completed)/abort").status == 200)
            #expect(await scene.post("\(completed)/commit").status == 409)
            #expect(try await scene.storage.keys() == [])
        }
    }
}
