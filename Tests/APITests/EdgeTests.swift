// What every route has in common before its handler runs: queries, lengths, unknown routes, text that people read.
// Rules: HTTP contract, 1.1, 1.2, 1.5 and section 9, rows 18, 46 and 47.

import API
import Description
import Domain
import HTTP
import TestSupport
import Testing

@testable import artifortress

@Suite struct EdgeTests {
    /// A path of the route, with values that have the right form.
    private static func path(_ pattern: PathPattern) -> String {
        let segments = pattern.segments.map { segment in
            switch segment {
            case .literal(let text): text
            case .value("digest"): String(repeating: "ab", count: 32)
            case .value(let name) where name.hasSuffix("Number"): "1"
            case .value(let name) where name.hasSuffix("Id"): "0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000"
            case .value, .rest: "some"
            }
        }
        return "/" + segments.joined(separator: "/")
    }

    @Test func `a query value that cannot be decoded is a 400 for every parameter of every route`() async throws {
        let operations = try APIDescription.current().operations
        let malformed = [
            "%00", "a%00b", "%FF", "%C3", "%C3%28", "%ED%A0%80", "%zz", "%", "%4", "%F8%88%80%80%80", "x+%00",
        ]
        try await Installation.with(.sqlite, ["metrics.token": "figures"]) { server in
            let token = try await server.token()
            var checked = 0
            for route in server.application.router.routes {
                let name = "\(route.method) \(route.pattern)"
                let operation = operations.first { "\($0.method) \($0.pattern)" == name }
                let described = operation?.document["parameters"]?.elements?.filter { $0["in"]?.text == "query" } ?? []
                let names = described.compactMap { $0["name"]?.text } + ["no-parameter-of-this-route"]
                for name in names {
                    for value in malformed {
                        let target = "\(Self.path(route.pattern))?\(name)=\(value)"
                        let answer = try await server.send(route.method, target, token: token, [:])
                        #expect(answer.status == 400, "\(route.method) \(target): \(answer.status) \(answer.text)")
                        checked += 1
                    }
                }
                let nameless = try await server.send(route.method, "\(Self.path(route.pattern))?%FF=x", token: token)
                #expect(nameless.status == 400, "\(name)")
            }
            #expect(checked > 1000)
            let answer = try await server.send("GET", "/v1/audit?limit=1&actor=%00", token: token)
            #expect(answer.json["message"]?.text?.contains("'actor'") == true, "\(answer.text)")
            #expect(try await server.send("GET", "/v1/audit?actor=t%C3%A9+st%20er&x", token: token).json == [])
        }
    }

    @Test func `unknown paths and methods are answered in JSON, and in the format's form`() async throws {
        try await Installation.with(.sqlite) { server in
            let cases: [(method: String, path: String, status: Int, allow: String?, type: String)] = [
                ("GET", "/nothing", 404, nil, "application/json; charset=utf-8"),
                ("GET", "/v1/nothing", 404, nil, "application/json; charset=utf-8"),
                ("PATCH", "/v1/repos", 405, "GET, HEAD, POST", "application/json; charset=utf-8"),
                ("DELETE", "/health/live", 405, "GET, HEAD", "application/json; charset=utf-8"),
                ("POST", "/generic/files/a", 405, "DELETE, GET, HEAD, PUT", "application/problem+json"),
                ("PUT", "/generic/files", 405, "GET, HEAD", "application/problem+json"),
                ("GET", "/generic", 404, nil, "application/problem+json"),
                ("GET", "/generic/files/%zz", 400, nil, "application/problem+json"),
                ("GET", "/v1/%00", 400, nil, "application/json; charset=utf-8"),
            ]
            for test in cases {
                let answer = try await server.send(test.method, test.path)
                #expect(answer.status == test.status, "\(test.path): \(answer.status)")
                #expect(answer.headers["content-type"] == test.type, "\(test.path)")
                #expect(answer.headers["allow"] == test.allow, "\(test.path)")
                let code = [404: "not_found", 405: "method_not_allowed", 400: "bad_request"][test.status]
                #expect(answer.error == code && answer.json["message"]?.text?.isEmpty == false, "\(answer.text)")
                #expect(answer.headers["x-correlation-id"] != nil)
            }
        }
    }

    @Test(arguments: Engine.direct)
    func `a PUT without a length is 411 and stores nothing`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.token()
            try await server.createRepository("files", token: token)
            let headers: Headers = ["Host": "a.example", "Authorization": "Bearer \(token)"]
            let answer = try await server.send("PUT", "/generic/files/f", headers: headers, body: RequestBody([]))
            #expect(answer.status == 411 && answer.error == "length_required", "\(answer.text)")
            #expect(try await server.send("GET", "/generic/files/f", token: token).status == 404)
            let empty = try await server.send(
                "PUT", "/generic/files/f", token: token, headers: [("Content-Length", "0")])
            #expect(empty.status == 201)
        }
    }

    @Test func `free text must not contain characters that are not shown`() async throws {
        try await Installation.with(.sqlite) { server in
            let token = try await server.token()
            try await server.createRepository("pkgs", token: token)
            let id = try await server.completeDraft("thing", token: token)
            let path = "/v1/repos/pkgs/packages/versions/\(id)/tombstone"
            for character in [
                "\u{0}", "\u{7}", "\u{1b}", "\u{7f}", "\u{85}", "\u{9b}", "\u{202a}", "\u{202e}", "\u{2066}",
                "\u{2069}",
                "\r",
            ] {
                let answer = try await server.send(
                    "POST", path, token: token, ["reason": .string("before\(character)after"), "retentionDays": 1])
                #expect(answer.status == 400, "\(character.unicodeScalars.first!.value): \(answer.text)")
            }
            let release = try await server.send(
                "POST", "/v1/releases", token: token, ["name": "two\nlines", "versionIds": [.string(id)]])
            #expect(release.status == 400)
            let allowed = try await server.send(
                "POST", path, token: token,
                ["reason": "lines\nand\ttabs\r\n, \u{200d} \u{1F469}\u{200D}\u{1F4BB}", "retentionDays": 1])
            #expect(allowed.status == 200, "\(allowed.text)")
        }
    }

    @Test(arguments: Engine.direct)
    func `secrets in a tombstone's reason do not reach the audit log`(engine: Engine) async throws {
        try await Installation.with(engine) { server in
            let token = try await server.token()
            try await server.createRepository("pkgs", token: token)
            let id = try await server.published("thing", in: "pkgs", token: token)
            let answer = try await server.send(
                "POST", "/v1/repos/pkgs/packages/versions/\(id)/tombstone", token: token,
                ["reason": .string("leaked \(token), password=hunter2 in it"), "retentionDays": 1])
            #expect(answer.status == 200, "\(answer.text)")
            let rows = try await server.audit(token, "action=package.version.tombstoned")
            let reason = try #require(rows.first?["details"]?["reason"]?.text)
            #expect(
                !reason.contains(token) && !reason.contains("hunter2") && reason.contains("[REDACTED]"), "\(reason)")
        }
    }

    @Test func `only types that are known to be inert are shown by a browser`() async throws {
        let cases: [(type: String?, sent: String, isShown: Bool)] = [
            (nil, "application/octet-stream", true), ("text/plain", "text/plain", true),
            ("Text/Plain; charset=utf-8", "Text/Plain; charset=utf-8", true), ("image/png", "image/png", true),
            ("text/plain;charset=\"utf-8\"", "text/plain;charset=\"utf-8\"", true),
            ("application/json", "application/json", true), ("text/html", "text/html", false),
            ("TEXT/HTML; charset=utf-8", "TEXT/HTML; charset=utf-8", false),
            ("text/html,text/plain", "application/octet-stream", false),
            ("text/plain,text/html", "application/octet-stream", false),
            ("text/plain; a=b, text/html", "application/octet-stream", false),
            ("text/plain text/html", "application/octet-stream", false),
            ("text/html ;", "text/html ;", false), ("text /html", "application/octet-stream", false),
            ("text", "application/octet-stream", false), ("*/*", "*/*", false),
            ("image/svg+xml", "image/svg+xml", false),
            ("application/pdf", "application/pdf", false), ("text/xsl", "text/xsl", false),
            ("multipart/x-mixed-replace", "multipart/x-mixed-replace", false),
            ("application/x-unheard-of", "application/x-unheard-of", false),
        ]
        try await Installation.with(.sqlite) { server in
            let token = try await server.token()
            try await server.createRepository("files", token: token)
            for (number, test) in cases.enumerated() {
                let path = "/generic/files/f\(number)"
                let put = try await server.send(
                    "PUT", path, token: token, headers: test.type.map { [("Content-Type", $0)] } ?? [])
                #expect(put.status == 201, "\(put.text)")
                let get = try await server.send("GET", path, token: token)
                #expect(get.headers["content-type"] == test.sent, "\(test.type ?? "none")")
                let disposition = get.headers["content-disposition"]
                #expect(test.isShown ? disposition == nil : disposition?.hasPrefix("attachment;") == true, "\(test)")
                #expect(get.headers["x-content-type-options"] == "nosniff")
            }
        }
    }
}
