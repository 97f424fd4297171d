// Whatever is sent, the answer is the contract's and never a 5xx: every route that takes JSON × bodies that are wrong or
// oddly written (HostileBodies.swift), and every route × odd paths and queries. Rules: HTTP contract, 1.2 and 1.4.

import API
import Description
import Domain
import HTTP
import TestSupport
import Testing

@testable import artifortress

@Suite struct HostileTests {
    /// A server with something to ask for, and a token for everything.
    private struct Scene {
        let server: Installation
        let token: String
        let ids: [String: String]

        init(_ server: Installation) async throws {
            self.server = server
            self.token = try await server.token()
            try await server.createRepository("alpha", token: self.token)
            _ = try await server.published("thing", in: "alpha", token: self.token)
            let draft = try await server.draft("draft", in: "alpha", token: self.token)
            let upload = try await server.send(
                "POST", "/v1/repos/alpha/uploads", token: self.token,
                ["expectedDigest": .string(String(repeating: "cd", count: 32)), "expectedLength": 3])
            self.ids = [
                "versionId": draft, "uploadId": try #require(upload.json["uploadId"]?.text), "repoKey": "alpha",
                "type": "npm", "name": "thing", "version": "1.0.0", "subject": "somebody", "tag": "latest",
                "digest": String(repeating: "ab", count: 32), "partNumber": "1", "evaluationNumber": "1",
            ]
        }

        func path(_ pattern: PathPattern, _ place: String? = nil, _ odd: String = "") -> String {
            let segments = pattern.segments.map { segment in
                switch segment {
                case .literal(let text): text
                case .value(let name): name == place ? odd : self.ids[name] ?? "x"
                case .rest(let name): name == place ? odd : "file"
                }
            }
            return "/" + segments.joined(separator: "/")
        }

        func send(
            _ route: Route, _ bytes: [UInt8], type: String? = "application/json", chunks: Int? = nil
        ) async throws -> Answer {
            var headers: Headers = ["Host": "artifacts.example", "Authorization": "Bearer \(self.token)"]
            if let type { headers.append("Content-Type", type) }
            if chunks == nil { headers.append("Content-Length", String(bytes.count)) }
            return try await self.server.send(
                route.method, self.path(route.pattern), headers: headers,
                body: chunks.map { RequestBody(length: nil, source: Drip(bytes, by: $0)) } ?? RequestBody(bytes))
        }
    }

    private struct Described {
        let route: Route
        let name: String
        let example: JSON
        /// Whether it may be sent without a body.
        let isOptional: Bool
    }

    /// Routes that take JSON, with a body that is right.
    private static func routes(of server: Installation) throws -> [Described] {
        let operations = try APIDescription.current().operations
        return server.application.router.routes.compactMap { route in
            let name = "\(route.method) \(route.pattern)"
            let operation = operations.first { "\($0.method) \($0.pattern)" == name }
            let isOptional = operation?.document["requestBody"]?["required"] == false
            return operation?.example.map { Described(route: route, name: name, example: $0, isOptional: isOptional) }
        }
    }

    @Test(arguments: Engine.direct)
    func `a body that is no JSON object is a 400 on every route that takes one`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let scene = try await Scene(server)
            for described in try Self.routes(of: server) {
                let (route, name, example) = (described.route, described.name, described.example)
                for (what, bytes) in HostileBodies.malformed {
                    if bytes.isEmpty, described.isOptional { continue }
                    let answer = try await scene.send(route, bytes)
                    #expect(answer.status == 400, "\(name), \(what): \(answer.text.prefix(200))")
                }
                for type in [nil, "text/plain", "application/x-www-form-urlencoded", "json", ""] {
                    let answer = try await scene.send(route, example.bytes, type: type)
                    #expect(answer.status == 400, "\(name) as \(type ?? "nothing"): \(answer.text.prefix(200))")
                }
                let long = try await scene.send(route, Array(repeating: 0x20, count: 5 << 20))
                #expect(long.status == 413, "\(name): \(long.text.prefix(200))")
            }
        }
    }

    @Test(arguments: Engine.direct)
    func `other spellings of a body are the same body`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let scene = try await Scene(server)
            for described in try Self.routes(of: server) {
                let (route, name, example) = (described.route, described.name, described.example)
                // The second time something may be there already.
                let plain = try await [
                    scene.send(route, example.bytes).status, scene.send(route, example.bytes).status,
                ]
                #expect(!plain.contains(400), "\(name): the example is refused")
                for (what, body) in HostileBodies.equals(of: example) {
                    let answer = try await scene.send(route, body.bytes)
                    #expect(plain.contains(answer.status), "\(name), \(what): \(answer.status) \(answer.text)")
                }
                for type in ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.x+json"] {
                    let answer = try await scene.send(route, example.bytes, type: type, chunks: 3)
                    #expect(plain.contains(answer.status), "\(name) in chunks as \(type): \(answer.text)")
                }
            }
        }
    }

    @Test(arguments: Engine.direct)
    func `one member of the wrong kind is a 400, and none breaks the server`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let scene = try await Scene(server)
            for described in try Self.routes(of: server) {
                let (route, name, example) = (described.route, described.name, described.example)
                for (what, body, isWrong) in HostileBodies.spoilt(example) {
                    let answer = try await scene.send(route, Array(body.utf8))
                    let isRight = isWrong ? answer.status == 400 : answer.status < 500
                    #expect(isRight, "\(name), \(what): \(answer.status) \(answer.text.prefix(200))")
                }
            }
        }
    }

    @Test(arguments: Engine.direct)
    func `odd paths and queries never break the server`(engine: Engine) async throws {
        let odd = [
            "%00", "%FF%FE", "..", "%2e%2e%2f", "%2F", "%5C", "%F0%9F%92%A3", "%E2%80%AE", "a%0Ab", "%20", "*", ":",
            "'",
            "a:b", "-1", "0", "99999999999999999999", String(repeating: "a", count: 5000), "%25", "%zz", "a%",
        ]
        let queries = [
            "limit=-1", "limit=99999999999999999999", "limit=%00", "limit=x&limit=y", "after=%FF", "after=zz",
            "after=5b225c7530303030225d", "after=5b5d", "after=5b2261225d", "after=5b2261222c2262222c2263225d",
            "before=x",
            "since=yesterday", "since=9999-12-31T23:59:59Z", "until=0000-01-01T00:00:00Z", "namespace=%00",
            "namespace=%F0%9F%92%A3", "order=up", "type=%00", "actor=%00", "resourceId=%FF", "&&==&",
            "expires=1&limit=1",
            "expires=9223372036854775807&limit=9223372036854775807&signature=%00",
        ]
        try await Installation.with(engine) { server in
            let scene = try await Scene(server)
            for route in server.application.router.routes where !"\(route.pattern)".hasSuffix("revoke-all") {
                let places = route.pattern.segments.compactMap { segment -> String? in
                    switch segment {
                    case .literal: nil
                    case .value(let name), .rest(let name): name
                    }
                }
                let isWaiting = "\(route.pattern)".hasSuffix("/events")
                var targets = places.flatMap { place in odd.map { scene.path(route.pattern, place, $0) } }
                if route.method == "GET" || places.contains("partNumber") {
                    targets += queries.map { "\(scene.path(route.pattern))?\($0)" }
                }
                for target in targets {
                    let wait = isWaiting ? (target.contains("?") ? "&wait=0" : "?wait=0") : ""
                    guard Target(received: target + wait) != nil else { continue }  // the listener refuses it
                    // Nothing is deleted under the feet of what follows.
                    let headers = route.method == "DELETE" ? [("If-Match", "\"no\"")] : []
                    let answer = try await server.send(
                        route.method, target + wait, token: scene.token, ["version": "1.0.0"], headers: headers)
                    #expect(answer.status < 500, "\(route.method) \(target.prefix(200)): \(answer.text.prefix(200))")
                }
            }
        }
    }
}
