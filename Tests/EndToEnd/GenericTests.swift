// The main job, as a user sees it: files by path, on both shapes.

import Cryptography
import Domain
import Foundation
import TestSupport
import Testing

@Suite struct GenericTests {
    private static let repository = "/generic/files"

    /// Bytes that differ from seed to seed.
    private static func bytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
    }

    @Test(arguments: Shape.available)
    func `a file comes back as it went, whatever its name and length`(shape: Shape) async throws {
        try await shape.withServer { server in
            let token = try await server.token()
            try await server.createRepository("files", token: token)
            let files: [(path: String, body: [UInt8])] = [
                ("a/b/c.txt", Self.bytes(10)), ("empty", []), ("with%20space/a+b%2Bc", Self.bytes(100_000)),
                ("%C3%BC/%E6%97%A5.bin", Self.bytes(3_000_001)), ("x%2Fy", Self.bytes(1)),
                ("~tilde/!x(1)", Self.bytes(4096)),
            ]
            for (index, file) in files.enumerated() {
                let path = "\(Self.repository)/\(file.path)"
                let put = try await server.put(path, file.body, token: token, chunked: index.isMultiple(of: 2))
                #expect(put.status == 201, "\(put.text)")
                #expect(put[header: "x-checksum-sha256"] == SHA256.digest(of: file.body).hex)
                let get = try await server.get(path, token: token)
                #expect(get.status == 200 && get.body == file.body && get.isComplete)
                #expect(get[header: "etag"] == "\"\(SHA256.digest(of: file.body).hex)\"")
                #expect(get[header: "last-modified"] != nil && get[header: "x-content-type-options"] == "nosniff")
                let head = try await server.client.send(
                    "HEAD", path, headers: [("Authorization", "Bearer \(token)")])
                #expect(head.status == 200 && head[header: "content-length"] == String(file.body.count))
            }
        }
    }

    @Test(arguments: Shape.available)
    func `ranges and conditions follow the HTTP rules`(shape: Shape) async throws {
        try await shape.withServer { server in
            let token = try await server.token()
            try await server.createRepository("files", token: token)
            let (path, body) = ("\(Self.repository)/f", Self.bytes(1000))
            _ = try await server.put(path, body, token: token)
            let tag = "\"\(SHA256.digest(of: body).hex)\""
            let date = try await server.get(path, token: token)[header: "last-modified"] ?? ""
            let cases: [(headers: [(String, String)], status: Int, body: [UInt8]?, range: String?)] = [
                ([("Range", "bytes=0-9")], 206, Array(body[0..<10]), "bytes 0-9/1000"),
                ([("Range", "bytes=990-")], 206, Array(body[990...]), "bytes 990-999/1000"),
                ([("Range", "bytes=-7")], 206, Array(body[993...]), "bytes 993-999/1000"),
                ([("Range", "bytes=5-100000")], 206, Array(body[5...]), "bytes 5-999/1000"),
                ([("Range", "bytes=0-1,5-6")], 200, body, nil), ([("Range", "bytes=1000-")], 416, nil, "bytes */1000"),
                ([("Range", "bytes=9-3")], 400, nil, nil), ([("Range", "lines=1-2")], 200, body, nil),
                ([("If-None-Match", tag)], 304, [], nil), ([("If-None-Match", "W/\(tag)")], 304, [], nil),
                ([("If-None-Match", "\"x\"")], 200, body, nil), ([("If-Modified-Since", date)], 304, [], nil),
                ([("If-Match", "\"x\"")], 412, nil, nil),
                ([("Range", "bytes=0-0"), ("If-Range", tag)], 206, [body[0]], "bytes 0-0/1000"),
                ([("Range", "bytes=0-0"), ("If-Range", "\"x\"")], 200, body, nil),
            ]
            for test in cases {
                let answer = try await server.get(path, token: token, headers: test.headers)
                #expect(answer.status == test.status, "\(test.headers): \(answer.status)")
                if let expected = test.body { #expect(answer.body == expected, "\(test.headers)") }
                if let range = test.range { #expect(answer[header: "content-range"] == range, "\(test.headers)") }
            }
        }
    }

    @Test(arguments: Shape.available)
    func `bytes that aren't those announced are refused and nothing is published`(shape: Shape) async throws {
        try await shape.withServer { server in
            let token = try await server.token()
            try await server.createRepository("files", token: token)
            let body = Self.bytes(5000)
            let wrong: [(String, String)] = [
                ("X-Checksum-Sha256", SHA256.digest(of: "other").hex),
                ("X-Checksum-Sha1", String(repeating: "0", count: 40)),
                ("Content-MD5", Base64.encode(Hash.digest(.md5, of: [1]))),
                ("Digest", "SHA-256=\(Base64.encode(Hash.digest(.sha256, of: [1])))"),
                ("Repr-Digest", "sha-512=:\(Base64.encode(Hash.digest(.sha512, of: [1]))):"),
            ]
            for header in wrong {
                let answer = try await server.put("\(Self.repository)/f", body, token: token, headers: [header])
                #expect(answer.status == 422 && answer.text.contains("checksum_mismatch"), "\(header) \(answer.text)")
                #expect(try await server.get("\(Self.repository)/f", token: token).status == 404)
            }
            let malformed = try await server.put(
                "\(Self.repository)/f", body, token: token, headers: [("X-Checksum-Sha256", "xyz")])
            #expect(malformed.status == 400)
            let right = try await server.put(
                "\(Self.repository)/f", body, token: token,
                headers: [
                    ("X-Checksum-Sha256", SHA256.digest(of: body).hex.uppercased()),
                    ("Content-MD5", Base64.encode(Hash.digest(.md5, of: body))),
                    ("Repr-Digest", "sha-256=:\(Base64.encode(Hash.digest(.sha256, of: body))):, unknown=:AA==:"),
                ])
            #expect(right.status == 201, "\(right.text)")
        }
    }

    @Test(arguments: Shape.available)
    func `a published path never changes, unless the repository allows revisions`(shape: Shape) async throws {
        try await shape.withServer { server in
            let token = try await server.token()
            try await server.createRepository("files", token: token)
            try await server.createRepository("loose", settings: ["overwrite": true], token: token)
            let (old, new) = (Self.bytes(100, seed: 1), Self.bytes(100, seed: 2))
            #expect(try await server.put("/generic/files/f", old, token: token).status == 201)
            let refused = try await server.put("/generic/files/f", new, token: token)
            #expect(refused.status == 409 && refused.text.contains(SHA256.digest(of: old).hex))
            #expect(try await server.get("/generic/files/f", token: token).body == old)

            #expect(try await server.put("/generic/loose/f", old, token: token).status == 201)
            let absent = try await server.put("/generic/loose/f", new, token: token, headers: [("If-None-Match", "*")])
            #expect(absent.status == 412)
            let other = try await server.put(
                "/generic/loose/f", new, token: token, headers: [("If-Match", "\"\(SHA256.digest(of: new).hex)\"")])
            #expect(other.status == 412)
            let replaced = try await server.put("/generic/loose/f", new, token: token)
            #expect(replaced.status == 204 && replaced[header: "x-artifortress-revision"] == "2")
            #expect(try await server.get("/generic/loose/f", token: token).body == new)

            for repository in ["files", "loose"] {
                let path = "/generic/\(repository)/f"
                let headers = [("Authorization", "Bearer \(token)")]
                #expect(try await server.client.send("DELETE", path, headers: headers).status == 204)
                #expect(try await server.get(path, token: token).status == 404)
                #expect(try await server.client.send("DELETE", path, headers: headers).status == 404)
            }
            #expect(try await server.put("/generic/files/f", new, token: token).status == 409)
            #expect(try await server.put("/generic/loose/f", old, token: token).status == 201)
        }
    }

    @Test(arguments: Shape.available)
    func `a folder lists its files and folders, for people and for programs`(shape: Shape) async throws {
        try await shape.withServer { server in
            let token = try await server.token()
            try await server.createRepository("files", token: token)
            for path in ["a.d", "a-b/c", "a/b/c", "a/b/d", "a/e", "b%20%3Cx%3E.txt", "z/y/x/w"] {
                #expect(try await server.put("\(Self.repository)/\(path)", [1, 2, 3], token: token).status == 201)
            }
            func names(_ folder: String) async throws -> [String] {
                let answer = try await server.get("\(Self.repository)/\(folder)", token: token)
                let entries = try JSON(parsing: answer.body)["entries"]?.elements ?? []
                return entries.compactMap { $0["name"]?.text }
            }
            #expect(try await names("") == ["a-b/", "a.d", "a/", "b <x>.txt", "z/"])
            #expect(try await names("a/") == ["b/", "e"])
            #expect(try await names("a/b/") == ["c", "d"])
            #expect(try await names("z/y/x/") == ["w"])
            #expect(try await server.get("\(Self.repository)/nowhere/", token: token).status == 404)
            let page = try await server.get(
                "\(Self.repository)/", token: token, headers: [("Accept", "text/html,*/*;q=0.8")])
            #expect(page[header: "content-type"]?.hasPrefix("text/html") == true)
            #expect(page.text.contains("b &lt;x&gt;.txt") && page.text.contains("./b%20%3Cx%3E.txt"))
        }
    }

    @Test(arguments: Shape.available)
    func `checksum siblings are derived, also for a file that was too large for them at first`(
        shape: Shape
    ) async throws {
        try await shape.withServer { server in
            let token = try await server.token()
            try await server.createRepository("files", token: token)
            for (name, body) in [("small", Self.bytes(10)), ("large", Self.bytes(2_000_000))] {
                _ = try await server.put("\(Self.repository)/\(name)", body, token: token)
                for function in Hash.Function.allCases {
                    let answer = try await server.get("\(Self.repository)/\(name).\(function.rawValue)", token: token)
                    #expect(answer.text == Hexadecimal.text(of: Hash.digest(function, of: body)), "\(function)")
                }
            }
            _ = try await server.put("\(Self.repository)/small.md5", Array("mine".utf8), token: token)
            #expect(try await server.get("\(Self.repository)/small.md5", token: token).text == "mine")
        }
    }

    @Test(arguments: Shape.available)
    func `nobody reads or writes without leave`(shape: Shape) async throws {
        try await shape.withServer { server in
            let admin = try await server.token()
            try await server.createRepository("files", token: admin)
            try await server.createRepository("open", settings: ["anonymousRead": true], token: admin)
            try await server.createRepository("gated", settings: ["publishRole": "promote"], token: admin)
            let reader = try await server.token("reader", scopes: ["repo:files:read"])
            let writer = try await server.token("writer", scopes: ["repo:files:write", "repo:gated:write"])
            for repository in ["files", "open"] {
                _ = try await server.put("/generic/\(repository)/f", [1], token: admin)
            }
            let reads: [(String, String?, Int)] = [
                ("files", nil, 401), ("files", "garbage", 401), ("files", reader, 200), ("files", writer, 200),
                ("gated", reader, 403), ("nowhere", reader, 403), ("nowhere", admin, 404), ("nowhere", nil, 401),
                ("open", nil, 200), ("open", reader, 200), ("open", "garbage", 401),
            ]
            for (repository, token, status) in reads {
                let answer = try await server.get("/generic/\(repository)/f", token: token)
                #expect(
                    answer.status == (repository == "gated" && status == 200 ? 404 : status), "\(repository) \(status)")
                if status == 401 {
                    // The first is the only one that many clients read.
                    let schemes = answer.all("www-authenticate").compactMap { $0.split(separator: " ").first }
                    #expect(schemes == ["Basic", "Bearer"])
                }
            }
            #expect(try await server.put("/generic/files/g", [1], token: reader).status == 403)
            #expect(try await server.put("/generic/files/g", [1], token: writer).status == 201)
            #expect(try await server.put("/generic/gated/g", [1], token: writer).status == 403)
            #expect(try await server.put("/generic/gated/g", [1], token: admin).status == 201)
            #expect(try await server.put("/generic/open/g", [1], token: "").status == 401)
        }
    }

    @Test(arguments: Shape.available)
    func `bad paths are refused with the reason`(shape: Shape) async throws {
        try await shape.withServer { server in
            let token = try await server.token()
            try await server.createRepository("files", token: token)
            for path in [
                "a//b", "a/../b", "a/./b", "a%5Cb", "a%00b", "a%0Ab", String(repeating: "x", count: 256), "%zz",
            ] {
                let answer = try await server.put("\(Self.repository)/\(path)", [1], token: token)
                #expect(answer.status == 400, "\(path): \(answer.status) \(answer.text)")
            }
            let entries = try await server.get("\(Self.repository)/", token: token)
            #expect(entries.text.contains("\"entries\":[]"))
        }
    }
}
