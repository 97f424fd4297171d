// Nobody gets in where he does not belong: every route of the running program × every kind of caller. The expected
// statuses: RouteTable.swift. And what is another tenant's is answered like what isn't there (HTTP contract, 9, row 39).

import API
import Domain
import HTTP
import TestSupport
import Testing

@testable import artifortress

@Suite struct RouteTests {
    private static let settings = ["metrics.token": "figures", "auth.throttle.addressAttempts": "10000"]

    /// Repositories `alpha` and `open`, with a file each.
    private static func furnish(_ server: Installation) async throws -> String {
        let token = try await server.token()
        for key in ["alpha", "open"] {
            try await server.createRepository(key, settings: ["anonymousRead": .bool(key == "open")], token: token)
            let put = try await server.send(
                "PUT", "/generic/\(key)/file", headers: [("Authorization", "Bearer \(token)")], body: Array("x".utf8))
            try #require(put.status == 201)
        }
        return token
    }

    /// - Parameter ids: of things that are there, by the names of their places; others aren't.
    private static func path(
        _ pattern: PathPattern, repository: String, file: String = "none", ids: [String: String] = [:]
    ) -> String {
        let segments = pattern.segments.map { segment in
            switch segment {
            case .literal(let text): text
            case .value("repoKey"): repository
            case .value("digest"): ids["digest"] ?? String(repeating: "ab", count: 32)
            case .value("subject"): "somebody"
            case .value(let name) where name.hasSuffix("Number"): "1"
            case .value(let name) where name.hasSuffix("Id"): ids[name] ?? "0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000"
            case .value(let name): ids[name] ?? "none"
            case .rest: file
            }
        }
        return "/" + segments.joined(separator: "/")
    }

    private static func send(
        _ route: Route, _ path: String, query: String, token: String?, to server: Installation
    ) async throws -> Answer {
        var headers: [(String, String)] = token.map { [("Authorization", "Bearer \($0)")] } ?? []
        let hasBody = ["POST", "PUT", "PATCH"].contains(route.method)
        if hasBody { headers.append(("Content-Type", "application/json")) }
        return try await server.send(
            route.method, path + (query.isEmpty ? "" : "?\(query)"), headers: headers,
            body: hasBody ? Array("{}".utf8) : [])
    }

    @Test(arguments: Engine.direct)
    func `every route answers every kind of caller as the table says`(engine: Engine) async throws {
        try await Installation.with(engine, Self.settings) { server in
            _ = try await Self.furnish(server)
            var listed = Set(RouteTable.rows.keys)
            for route in server.application.router.routes {
                let name = "\(route.method) \(route.pattern)"
                guard let row = RouteTable.rows[name] else {
                    Issue.record("'\(name)' (\(route.handler.access)) is missing from RouteTable.swift")
                    continue
                }
                listed.remove(name)
                #expect(row.rule.words.count == RouteCaller.allCases.count, "\(row.rule)")
                var tokens = try await RouteTokens(in: server)
                for (caller, word) in zip(RouteCaller.allCases, row.rule.words) {
                    let path = Self.path(
                        route.pattern, repository: caller.repository, file: "none-\(route.method)-\(caller)")
                    let answer = try await Self.send(
                        route, path, query: row.query, token: tokens[caller], to: server)
                    let far = row.far ?? (name.contains("{repoKey}") ? 404 : row.status)
                    let expected = word == "in" ? row.status : word == "far" ? far : Int(word)
                    #expect(
                        answer.status == expected,
                        "\(name) for '\(caller)': \(answer.status), not \(expected ?? 0): \(answer.text.prefix(200))")
                    if name.hasSuffix("revoke-all") { tokens = try await RouteTokens(in: server) }
                }
            }
            #expect(listed.isEmpty, "rows without a route")
        }
    }

    @Test(arguments: Engine.direct)
    func `what is another tenant's is answered like what does not exist`(engine: Engine) async throws {
        try await Installation.with(engine, Self.settings) { server in
            let token = try await Self.furnish(server)
            let tokens = try await RouteTokens(in: server)
            let (far, near) = (try #require(tokens[.far]), try #require(tokens[.all]))
            let version = try await server.published("thing", in: "alpha", token: token)
            let digest = try await server.commit(Array("bytes".utf8), in: "alpha")
            let upload = try await server.send(
                "POST", "/v1/repos/alpha/uploads", token: token,
                ["expectedDigest": .string(String(repeating: "cd", count: 32)), "expectedLength": 3])
            let ids = [
                "versionId": version, "digest": digest.hex, "uploadId": try #require(upload.json["uploadId"]?.text),
                "type": "npm", "name": "thing", "version": "1.0.0",
            ]
            // The far tenant has a repository of the same name; its other one never was.
            for route in server.application.router.routes where "\(route.pattern)".contains("{") {
                let name = "\(route.method) \(route.pattern)"
                let query = RouteTable.rows[name]?.query ?? ""
                var answers: [String] = []
                for (repository, ids) in [("alpha", ids), ("never-was", [:])] {
                    let path = Self.path(route.pattern, repository: repository, file: "file", ids: ids)
                    let answer = try await Self.send(route, path, query: query, token: far, to: server)
                    var text = answer.text.replacing(repository, with: "KEY")
                    for value in ids.values { text = text.replacing(value, with: "none") }
                    answers.append("\(answer.status) \(text)")
                }
                #expect(answers[0] == answers[1], "\(name)")
            }
            // Ids in bodies: a token of theirs, and one that never was.
            let list = try await server.send("GET", "/v1/admin/auth/pats", token: near)
            let known = try #require(list.json.elements?.first?["tokenId"])
            var answers: Set<String> = []
            for id in [known, .string(UniqueID.random().description)] {
                let answer = try await server.send("POST", "/v1/auth/pats/revoke", token: far, ["tokenId": id])
                answers.insert("\(answer.status) \(answer.text)")
            }
            #expect(answers.count == 1 && answers.first?.hasPrefix("404") == true)
            try await Self.checkFarLists(far: far, near: near, server)
        }
    }

    /// Lists of the other tenant have nothing of this one, and the same repository key can be taken there.
    private static func checkFarLists(far: String, near: String, _ server: Installation) async throws {
        #expect(try await server.send("GET", "/v1/repos", token: far).json == [])
        let theirs = try await server.send("GET", "/v1/admin/auth/pats", token: far)
        #expect(theirs.json.elements?.allSatisfy { $0["subject"] == "far" } == true)
        #expect(try await server.send("GET", "/v1/admin/tenant-role-bindings", token: far).json == [])
        let audit = try await server.audit(far)
        #expect(audit.allSatisfy { $0["actor"] == "far" })
        let made = try await server.send("POST", "/v1/repos", token: far, ["repoKey": "alpha", "repoType": "local"])
        #expect(made.status == 201)
        #expect(try await server.send("GET", "/generic/alpha/file", token: far).status == 404)
        #expect(try await server.send("GET", "/generic/alpha/file", token: near).status == 200)
        let blob = try await server.send("GET", "/v1/repos/alpha/packages/npm/thing/versions/1.0.0", token: far)
        #expect(blob.status == 404)
    }
}
