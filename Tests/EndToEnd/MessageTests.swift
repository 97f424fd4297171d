// HTTP's finer rules as a client sees them on its socket. Rules: RFC 9110, 8.6, 13.1, 14.2, 15.4.5 and 15.5.12; RFC 9112, 6.

import Cryptography
import Domain
import TestSupport
import Testing

@Suite struct MessageTests {
    private static let body = Array("0123456789".utf8)

    private static func with(
        _ shape: Shape, _ body: @Sendable (ServerProcess, _ bearer: (String, String)) async throws -> Void
    ) async throws {
        try await shape.withServer { server in
            let token = try await server.token()
            try await server.createRepository("files", token: token)
            #expect(try await server.put("/generic/files/f", Self.body, token: token).status == 201)
            try await body(server, ("Authorization", "Bearer \(token)"))
        }
    }

    @Test(arguments: Shape.available)
    func `HEAD ignores a range and announces the whole length`(shape: Shape) async throws {
        try await Self.with(shape) { server, bearer in
            let digest = SHA256.digest(of: Self.body).hex
            for path in ["/generic/files/f", "/v1/repos/files/blobs/\(digest)"] {
                for range in ["bytes=2-3", "bytes=50-", "bytes=9-3", "lines=1"] {
                    let answer = try await server.client.send("HEAD", path, headers: [bearer, ("Range", range)])
                    #expect(answer.status == 200, "\(path) \(range)")
                    #expect(answer[header: "content-length"] == "10" && answer[header: "content-range"] == nil)
                }
            }
        }
    }

    @Test(arguments: Shape.available)
    func `304 does not say that the file is empty`(shape: Shape) async throws {
        try await Self.with(shape) { server, bearer in
            for method in ["GET", "HEAD"] {
                let answer = try await server.client.send(
                    method, "/generic/files/f", headers: [bearer, ("If-None-Match", "*")])
                #expect(answer.status == 304 && answer.body.isEmpty)
                #expect([nil, "10"].contains(answer[header: "content-length"]), "\(answer.headers)")
                #expect(answer[header: "etag"] != nil && answer[header: "content-type"] == nil)
            }
        }
    }

    @Test(arguments: Shape.available)
    func `a PUT without a length is 411 in both versions of HTTP, and stores nothing`(shape: Shape) async throws {
        try await Self.with(shape) { server, bearer in
            for version in ["1.0", "1.1"] {
                let path = "/generic/files/\(version)"
                let head =
                    "PUT \(path) HTTP/\(version)\r\nHost: x\r\nConnection: close\r\n\(bearer.0): \(bearer.1)\r\n"
                let lost = try await server.client.send(raw: Array((head + "\r\n").utf8) + Self.body)
                #expect(lost.status == 411 && lost.text.contains("length_required"), "\(version): \(lost.text)")
                #expect(try await server.client.send("GET", path, headers: [bearer]).status == 404)
                let sent = try await server.client.send(
                    raw: Array((head + "Content-Length: 10\r\n\r\n").utf8) + Self.body)
                #expect(sent.status == 201, "\(version): \(sent.text)")
                #expect(try await server.client.send("GET", path, headers: [bearer]).body == Self.body)
                let empty = try await server.client.send(
                    raw: Array((head.replacing(path, with: path + "-empty") + "Content-Length: 0\r\n\r\n").utf8))
                #expect(empty.status == 201, "\(version): \(empty.text)")
            }
        }
    }

    @Test(arguments: Shape.available)
    func `a 401 names Basic before Bearer, wherever it comes from`(shape: Shape) async throws {
        try await Self.with(shape) { server, _ in
            for path in ["/v1/repos", "/generic/files/f", "/v1/auth/whoami", "/generic/files/"] {
                let answer = try await server.client.send("GET", path)
                let schemes = answer.all("www-authenticate").compactMap { $0.split(separator: " ").first }
                #expect(answer.status == 401 && schemes == ["Basic", "Bearer"], "\(path): \(answer.headers)")
            }
        }
    }

    @Test(arguments: Shape.available)
    func `unknown routes and methods have a body in JSON`(shape: Shape) async throws {
        try await Self.with(shape) { server, _ in
            let unknown = try await server.client.send("GET", "/nothing")
            #expect(unknown.status == 404 && unknown[header: "content-type"]?.hasPrefix("application/json") == true)
            #expect(try JSON(parsing: unknown.body)["error"] == "not_found")
            let method = try await server.client.send("PATCH", "/generic/files/f", body: [])
            #expect(method.status == 405 && method[header: "content-type"] == "application/problem+json")
            #expect(method[header: "allow"] == "DELETE, GET, HEAD, PUT")
        }
    }
}
