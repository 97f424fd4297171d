// A disk that fills up: a clear answer, nothing half there, and recovery without a restart. On a small file system of
// the test's own, which only root can mount.

import Cryptography
import Domain
import Foundation
import Glibc
import TestSupport
import Testing

@Suite struct DiskFullTests {
    @Test(.enabled(if: geteuid() == 0, "mounting a file system needs root"), arguments: ["blobs", "everything"])
    func `a full disk refuses uploads, keeps what is there, and recovers`(full: String) async throws {
        try await Self.withSmallDisk { directory in
            var settings: [String: String] = [:]
            if full == "blobs" {
                settings["storage.url"] = "file:\(directory)/blobs"
            } else {
                settings["data"] = "\(directory)/data"
            }
            try await Shape.embedded.withServer(settings) { server in
                let token = try await server.token()
                try await server.createRepository("files", token: token)
                let small = [UInt8](repeating: 1, count: 100_000)
                #expect(try await server.put("/generic/files/before", small, token: token).status == 201)

                // Larger than what is left, so that it fails in its middle.
                let large = [UInt8](repeating: 2, count: 30 << 20)
                let refused = try await server.put("/generic/files/large", large, token: token)
                #expect([503, 507].contains(refused.status), "\(refused.status) \(refused.text)")
                #expect(refused.text.contains("\"error\""))
                #expect(try await server.get("/generic/files/large", token: token).status == 404)
                #expect(try await server.get("/generic/files/before", token: token).body == small)

                // Filled to the last block from outside, also small ones have no room.
                let filler = "\(directory)/filler"
                Self.fill(filler)
                let none = try await server.put("/generic/files/none", small, token: token)
                #expect([503, 507].contains(none.status), "\(none.status) \(none.text)")
                #expect(try await server.get("/generic/files/before", token: token).body == small)
                unsafe unlink(filler)

                let recovered = await eventually {
                    (try? await server.put("/generic/files/after", small, token: token).status) == 201
                }
                #expect(recovered, "\(server.log)")
                #expect(try await server.get("/generic/files/after", token: token).body == small)
                #expect(try await server.get("/generic/files/none", token: token).status == 404)
            }
        }
    }

    @Test(.enabled(if: geteuid() == 0, "mounting a file system needs root"))
    func `a completion that finds no room leaves its parts as they were, and succeeds when there is room`()
        async throws
    {
        try await Self.withSmallDisk { directory in
            let blobs = "\(directory)/blobs"
            try await Shape.embedded.withServer(["storage.url": "file:\(blobs)"]) { server in
                let token = try await server.token()
                try await server.createRepository("files", token: token)
                // The parts fit, and their copy behind each other doesn't.
                let parts = (0..<2).map { [UInt8](repeating: UInt8($0 + 1), count: 8 << 20) }
                let digest = SHA256.digest(of: parts.flatMap(\.self)).hex
                let (session, list) = try await Self.upload(parts, digest, server, token)
                let before = Self.files(in: blobs)
                #expect(before.filter { $0.contains("~parts/data.") }.count == 2)
                let refused = try await server.post("\(session)/complete", ["parts": list], token: token)
                #expect(refused.status == 507 && refused.text.contains("insufficient_storage"), "\(refused.text)")
                #expect(Self.files(in: blobs) == before)
                // A part that doesn't fit leaves nothing either, and the one before stays.
                let large = [UInt8](repeating: 9, count: 12 << 20)
                let part = try await Self.put(large, 2, to: session, server, token)
                #expect(part.status == 507 || part.status == 413, "\(part.status) \(part.text)")
                #expect(Self.files(in: blobs) == before)

                #expect(unsafe mount("tmpfs", directory, "tmpfs", UInt(MS_REMOUNT), "size=64m") == 0)
                #expect(try await server.post("\(session)/complete", ["parts": list], token: token).status == 200)
                #expect(try await server.post("\(session)/commit", [:], token: token).status == 200)
                let answer = try await server.get("/v1/repos/files/blobs/\(digest)", token: token)
                #expect(answer.status == 200 && SHA256.digest(of: answer.body).hex == digest)
                #expect(Self.files(in: blobs).filter { $0.contains("staging/") }.count == 1)

                // One that is given up instead leaves nothing at all.
                let other = [[UInt8](repeating: 3, count: 1000), [UInt8](repeating: 4, count: 1000)]
                let (given, _) = try await Self.upload(
                    other, SHA256.digest(of: other.flatMap(\.self)).hex, server, token)
                #expect(try await server.post("\(given)/abort", [:], token: token).status == 200)
                #expect(Self.files(in: blobs).filter { $0.contains("staging/") }.count == 1)
            }
        }
    }

    @Test(.enabled(if: geteuid() == 0, "mounting a file system needs root"), arguments: [true, false])
    func `a server starts on a full disk for reads, and says that writes are rejected`(wasKilled: Bool) async throws {
        try await Self.withSmallDisk { directory in
            try await Shape.embedded.withServer(["data": "\(directory)/data"]) { server in
                let token = try await server.token()
                try await server.createRepository("files", token: token)
                let small = [UInt8](repeating: 1, count: 100_000)
                #expect(try await server.put("/generic/files/before", small, token: token).status == 201)
                if wasKilled { server.kill() } else { #expect(try await server.stop() == 0) }

                let filler = "\(directory)/filler"
                Self.fill(filler)
                try await server.start()
                #expect(try await server.get("/generic/files/before", token: token).body == small)
                let refused = try await server.put("/generic/files/during", small, token: token)
                #expect(refused.status == 507, "\(refused.status) \(refused.text)")
                let ready = try await server.get("/health/ready", token: token)
                #expect(ready.status == 200 && ready.text.contains("\"degraded\""), "\(ready.text)")
                #expect(ready.text.contains("no disk space left: writes are rejected"), "\(ready.text)")
                // Stopping and starting again works as long as the disk is full.
                #expect(try await server.stop() == 0)
                try await server.start()
                #expect(try await server.get("/generic/files/before", token: token).body == small)

                unsafe unlink(filler)
                let recovered = await eventually {
                    (try? await server.put("/generic/files/after", small, token: token).status) == 201
                }
                #expect(recovered, "\(server.log)")
                let again = await eventually {
                    (try? await server.get("/health/ready", token: token).text.contains("\"status\":\"ready\"")) == true
                }
                #expect(again)
            }
        }
    }

    @Test(.enabled(if: geteuid() == 0, "mounting a file system needs root"))
    func `deletions and revocations work on a full disk, and nothing else is written`() async throws {
        try await Self.withSmallDisk { directory in
            try await Shape.embedded.withServer(["data": "\(directory)/data"]) { server in
                let token = try await server.token()
                try await server.createRepository("files", token: token)
                try await server.createRepository("empty", token: token)
                let bytes = [UInt8](repeating: 1, count: 100)
                for number in 0..<40 {
                    let path = "/generic/files/f\(number)"
                    #expect(try await server.put(path, bytes, token: token).status == 201)
                }
                let draft = try await server.post(
                    "/v1/repos/files/packages/versions/drafts",
                    ["packageType": "npm", "packageName": "p", "version": "1.0.0"], token: token)
                let version = try #require(try JSON(parsing: draft.body)["versionId"]?.text, "\(draft.text)")
                let part = [UInt8](repeating: 3, count: 1000)
                let (session, _) = try await Self.upload(
                    [part], SHA256.digest(of: part).hex, server, token)
                let leaked = try await server.issue("leaked", by: token)
                #expect(try await server.get("/v1/auth/whoami", token: leaked.token).status == 200)

                // Until also the write-ahead log has no room left.
                Self.fill("\(directory)/filler")
                var number = 0
                func create() async throws -> Int {
                    number += 1
                    return try await server.post(
                        "/v1/repos", ["repoKey": .string("more-\(number)"), "repoType": "local"], token: token
                    ).status
                }
                var status = 201
                while status == 201, number < 2000 { status = try await create() }
                #expect(status == 507, "after \(number) repositories")

                for number in 0..<40 {
                    let deleted = try await server.send("DELETE", "/generic/files/f\(number)", token: token)
                    #expect(deleted.status == 204, "\(number): \(deleted.text)")
                }
                let tombstoned = try await server.post(
                    "/v1/repos/files/packages/versions/\(version)/tombstone", ["reason": "r"], token: token)
                #expect(tombstoned.status == 200, "\(tombstoned.text)")
                let aborted = try await server.post("\(session)/abort", [:], token: token)
                #expect(aborted.status == 200, "\(aborted.text)")
                let revoked = try await server.post(
                    "/v1/auth/pats/revoke", ["tokenId": .string(leaked.id)], token: token)
                #expect(revoked.status == 200, "\(revoked.text)")
                #expect(try await server.get("/v1/auth/whoami", token: leaked.token).status == 401)
                #expect(try await server.send("DELETE", "/v1/repos/empty", token: token).status == 200)

                // None of this has made room for others.
                let refused = try await server.put("/generic/files/new", bytes, token: token)
                #expect(refused.status == 507 && refused.text.contains("insufficient_storage"), "\(refused.text)")
                #expect(try await create() == 507)
                #expect(try await server.get("/generic/files/f0", token: token).status == 404)
                #expect(try await server.get("/v1/repos/files", token: token).status == 200)

                unsafe unlink("\(directory)/filler")
                let recovered = await eventually { (try? await create()) == 201 }
                #expect(recovered, "\(server.log)")
                #expect(try await server.put("/generic/files/new", bytes, token: token).status == 201)
            }
        }
    }

    /// Calls `body` with a directory that is a file system of 24 MiB, where one can be mounted.
    private static func withSmallDisk(_ body: (_ directory: String) async throws -> Void) async throws {
        let directory = NSTemporaryDirectory() + "artifortress-full-\(UniqueID.random().hex)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        guard unsafe mount("tmpfs", directory, "tmpfs", 0, "size=24m") == 0 else {
            return print("skipped: no file system can be mounted here")
        }
        defer { unsafe umount2(directory, 2) }  // MNT_DETACH
        try await body(directory)
    }

    /// - Returns: a session with these parts, and the list that completes it.
    private static func upload(
        _ parts: [[UInt8]], _ digest: String, _ server: ServerProcess, _ token: String
    ) async throws -> (session: String, parts: JSON) {
        let length = JSON(parts.map(\.count).reduce(0, +))
        let opened = try await server.post(
            "/v1/repos/files/uploads", ["expectedDigest": .string(digest), "expectedLength": length], token: token)
        let id = try #require(try JSON(parsing: opened.body)["uploadId"]?.text)
        let session = "/v1/repos/files/uploads/\(id)"
        var list: [JSON] = []
        for (index, bytes) in parts.enumerated() {
            let answer = try await self.put(bytes, index + 1, to: session, server, token)
            let tag = try #require(answer[header: "etag"], "\(answer.status) \(answer.text)")
            list.append(["partNumber": JSON(index + 1), "eTag": .string(tag)])
        }
        return (session, .array(list))
    }

    private static func put(
        _ bytes: [UInt8], _ number: Int, to session: String, _ server: ServerProcess, _ token: String
    ) async throws -> WireAnswer {
        let address = try await server.post("\(session)/parts", ["partNumber": JSON(number)], token: token)
        let url = try #require(URLComponents(string: try JSON(parsing: address.body)["uploadUrl"]?.text ?? ""))
        return try await server.client.send(
            "PUT", "\(url.percentEncodedPath)?\(url.percentEncodedQuery ?? "")", body: bytes)
    }

    /// Files and links below a directory, by their paths, in order.
    private static func files(in directory: String) -> [String] {
        let paths = FileManager.default.enumerator(atPath: directory)?.compactMap { $0 as? String } ?? []
        return paths.filter { path in
            let type = try? FileManager.default.attributesOfItem(atPath: "\(directory)/\(path)")[.type]
            return type as? FileAttributeType != .typeDirectory
        }.sorted()
    }

    /// Writes zeros until nothing more goes in.
    private static func fill(_ path: String) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT, 0o600)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        for size in [65536, 4096, 512, 1] {
            let zeros = [UInt8](repeating: 0, count: size)
            while unsafe zeros.withUnsafeBytes({ unsafe write(descriptor, $0.baseAddress, size) }) == size {}
        }
    }
}

extension ServerProcess {
    fileprivate func send(_ method: String, _ path: String, token: String) async throws -> WireAnswer {
        try await self.client.send(method, path, headers: [("Authorization", "Bearer \(token)")])
    }

    /// A token that an administrator issues.
    fileprivate func issue(_ subject: String, by token: String) async throws -> (id: String, token: String) {
        let answer = try await self.post(
            "/v1/auth/pats",
            ["subject": .string(subject), "ttlMinutes": 60, "scopes": ["repo:files:read"]], token: token)
        let json = try JSON(parsing: answer.body)
        guard let id = json["tokenId"]?.text, let issued = json["token"]?.text else {
            throw WireFailure(description: "no token: \(answer.status) \(answer.text)")
        }
        return (id, issued)
    }
}
