// Every URL in an answer keeps the path that the server is published below. Rules: HTTP contract, section 5 (`publicUrl`,
// `trustedProxies`).

import API
import Domain
import HTTP
import TestSupport
import Testing

@testable import artifortress

@Suite struct LinkTests {
    /// How the server is reached, and what its URLs begin with.
    enum Way: String, CaseIterable, Sendable {
        case direct, publicURL, proxy

        var settings: [String: String] {
            switch self {
            case .direct: [:]
            case .publicURL: ["publicUrl": "https://artifacts.example/tools/registry"]
            case .proxy: ["trustedProxies": "192.0.2.1"]
            }
        }

        var headers: [(String, String)] {
            self == .proxy ? [("X-Forwarded-Prefix", "/tools/registry"), ("X-Forwarded-Proto", "https")] : []
        }

        var prefix: String { self == .direct ? "" : "/tools/registry" }
        var base: String { self == .direct ? "http://artifacts.example" : "https://artifacts.example/tools/registry" }
    }

    /// Sends requests by one way, and checks each URL that comes back.
    private struct Client {
        let server: Installation
        let token: String
        let way: Way

        @discardableResult
        func send(
            _ method: String, _ path: String, _ body: JSON? = nil, headers: [(String, String)] = [], key: String? = nil
        ) async throws -> Answer {
            try await self.server.send(
                method, path, token: self.token, key: key, body, headers: self.way.headers + headers)
        }

        /// Sends a request whose answer must have a `Location`, which must lead to something.
        func located(_ path: String, _ body: JSON, key: String? = nil) async throws -> (answer: Answer, place: String) {
            let answer = try await self.send("POST", path, body, key: key)
            #expect(answer.status == 201, "\(path): \(answer.status) \(answer.text)")
            return (answer, try self.place(answer.headers["location"], path))
        }

        /// The path below the prefix.
        func place(_ location: String?, _ what: String) throws -> String {
            let location = try #require(location, "\(what) without Location")
            try #require(location.hasPrefix(self.way.prefix + "/"), "\(what): \(location)")
            let place = String(location.dropFirst(self.way.prefix.count))
            #expect(["/v1/", "/generic/"].contains { place.hasPrefix($0) }, "\(what): \(location)")
            return place
        }
    }

    @Test(arguments: Way.allCases)
    func `every Location, Link and URL in a body has the prefix, and leads to the thing`(way: Way) async throws {
        try await Installation.with(.sqlite, way.settings) { server in
            let client = Client(server: server, token: try await server.token(), way: way)
            for key in ["pkgs", "other"] {
                let (_, place) = try await client.located("/v1/repos", ["repoKey": .string(key), "repoType": "local"])
                #expect(try await client.send("GET", place).status == 200)
            }
            try await Self.checkUploads(client)
            try await Self.checkVersions(client)
            try await Self.checkAdministration(client)
            try await Self.checkFiles(client)
        }
    }

    private static func checkUploads(_ client: Client) async throws {
        let (session, place) = try await client.located(
            "/v1/repos/pkgs/uploads",
            ["expectedDigest": .string(String(repeating: "cd", count: 32)), "expectedLength": 3])
        #expect(try await client.send("GET", place).status == 200)
        let id = try #require(session.json["uploadId"]?.text)
        let part = try await client.send("POST", "/v1/repos/pkgs/uploads/\(id)/parts", ["partNumber": 1])
        let url = try #require(part.json["uploadUrl"]?.text)
        try #require(url.hasPrefix(client.way.base + "/v1/"), "\(url)")
        let put = try await client.server.send(
            "PUT", String(url.dropFirst(client.way.base.count)), headers: client.way.headers, body: Array("abc".utf8))
        #expect(put.status == 200, "\(put.text)")
    }

    private static func checkVersions(_ client: Client) async throws {
        let draft: JSON = ["packageType": "npm", "packageName": "thing", "version": "0.1.0"]
        let drafts = "/v1/repos/pkgs/packages/versions/drafts"
        let (_, place) = try await client.located(drafts, draft, key: "once")
        let again = try await client.send("POST", drafts, draft, key: "once")
        #expect(again.headers["idempotent-replayed"] == "true")
        #expect(try client.place(again.headers["location"], "a replay") == place)
        // The same key from a client that reaches the server directly.
        if client.way == .proxy {
            let direct = try await client.server.send("POST", drafts, token: client.token, key: "once", draft)
            #expect(direct.headers["location"] == place)
        }
        let version = try await client.server.published("thing", in: "pkgs", token: client.token)
        let (_, evaluation) = try await client.located(
            "/v1/repos/pkgs/policy/evaluations",
            ["action": "promote", "versionId": .string(version), "reason": "test", "decisionHint": "allow"])
        #expect(try await client.send("GET", evaluation).status == 200)
        let (_, promoted) = try await client.located(
            "/v1/repos/pkgs/packages/versions/\(version)/promote", ["targetRepo": "other"])
        #expect(try await client.send("GET", promoted).status == 200)
        let second = try await client.server.completeDraft("second", in: "pkgs", token: client.token)
        let (_, release) = try await client.located("/v1/releases", ["versionIds": [.string(second)]])
        #expect(try await client.send("GET", release).status == 200)
    }

    private static func checkAdministration(_ client: Client) async throws {
        for path in ["/v1/repos/pkgs/webhooks", "/v1/admin/webhooks"] {
            let (_, place) = try await client.located(
                path, ["url": "https://hooks.example.com/x", "events": ["version.published"]])
            #expect(try await client.send("GET", place).status == 200)
        }
        let page = try await client.send("GET", "/v1/audit?limit=1&action=repo.created")
        let link = try #require(page.headers["link"])
        try #require(link.hasPrefix("<\(client.way.prefix)/v1/audit?") && link.hasSuffix(">; rel=\"next\""), "\(link)")
        let next = link.dropFirst(1 + client.way.prefix.count).prefix { $0 != ">" }
        #expect(try await client.send("GET", String(next)).json.elements?.count == 1)
    }

    private static func checkFiles(_ client: Client) async throws {
        let put = try await client.send("PUT", "/generic/pkgs/d/a%20b%2Bc%25.txt", headers: [("Content-Length", "0")])
        let place = try client.place(put.headers["location"], "a file")
        #expect(place == "/generic/pkgs/d/a%20b+c%25.txt")
        #expect(try await client.send("GET", place).status == 200)
        let browser = [("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")]
        let folder = try await client.send("GET", "/generic/pkgs/d", headers: browser)
        #expect(folder.status == 302)
        #expect(try client.place(folder.headers["location"], "a folder") == "/generic/pkgs/d/")
        let hint = try await client.send("GET", "/generic/pkgs/d")
        #expect(hint.status == 404 && hint.json["listing"]?.text == "\(client.way.prefix)/generic/pkgs/d/")
        let root = try await client.send("GET", "/generic/pkgs")
        #expect(root.status == 301)
        #expect(try client.place(root.headers["location"], "the root") == "/generic/pkgs/")
        // Links of a listing are relative, so that they hold wherever the page is.
        let listing = try await client.send("GET", "/generic/pkgs/d/", headers: browser)
        for link in listing.text.split(separator: "href=\"").dropFirst() {
            #expect(link.hasPrefix("./") || link.hasPrefix("../") || link.hasPrefix("?"), "\(link.prefix(40))")
        }
    }

    @Test func `a prefix is believed only of trusted proxies, and only if it is one`() async throws {
        try await Installation.with(.sqlite, ["trustedProxies": "192.0.2.1"]) { server in
            let token = try await server.token()
            func location(_ prefix: String, from address: String) async throws -> String? {
                try await server.send(
                    "GET", "/generic/x",
                    headers: [("Authorization", "Bearer \(token)"), ("X-Forwarded-Prefix", prefix)], from: address
                ).headers["location"]
            }
            #expect(try await location("/sub/", from: "192.0.2.1") == "/sub/generic/x/")
            #expect(try await location("/sub", from: "198.51.100.1") == "/generic/x/")
            for forged in ["//evil.example", "https://evil.example", "/a//b", "/../x", "/a b", "/a\"b", "sub", "/%0d"] {
                #expect(try await location(forged, from: "192.0.2.1") == "/generic/x/", "\(forged)")
            }
        }
    }
}
