// The server behind a real nginx that publishes it below a path: every URL that a client is given leads back through the
// proxy.

import Domain
import Foundation
import TestSupport
import Testing

@Suite struct ProxyTests {
    private static let path = "/tools/registry/"

    /// How a server learns where it is published: its settings, and what nginx says to it.
    private static let ways: [(settings: [String: String], directives: [String])] = [
        (
            ["trustedProxies": "127.0.0.1"],
            [
                "proxy_set_header Host $http_host", "proxy_set_header X-Forwarded-Prefix /tools/registry",
                "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for",
            ]
        ),
        (["publicUrl": "http://PROXY/tools/registry"], []),
    ]

    @Test(arguments: ways.indices)
    func `a client that follows the server's URLs stays below the proxy's path`(way: Int) async throws {
        let (settings, directives) = Self.ways[way]
        // The name in `publicUrl` stands for the proxy, whose port is not known before the server's.
        let all = settings.mapValues { $0.replacing("PROXY", with: "proxy.example") }
        try await Shape.embedded.withServer(all) { server in
            let token = try await server.token()
            try await NginxProxy.with(server, below: Self.path, directives) { proxy in
                try await Self.check(proxy, token: token, host: way == 1 ? "proxy.example" : "127.0.0.1:\(proxy.port)")
            }
        }
    }

    private static func check(_ proxy: NginxProxy, token: String, host: String) async throws {
        let bearer = ("Authorization", "Bearer \(token)")
        func post(_ path: String, _ body: JSON) async throws -> WireAnswer {
            try await proxy.client.send(
                "POST", path, headers: [bearer, ("Content-Type", "application/json")], body: body.bytes)
        }
        let made = try await post("\(Self.path)v1/repos", ["repoKey": "files", "repoType": "local"])
        #expect(made.status == 201, "\(made.text)")
        #expect(made[header: "location"] == "\(Self.path)v1/repos/files")

        let put = try await proxy.client.send(
            "PUT", "\(Self.path)generic/files/d/a%20b", headers: [bearer], body: Array("content".utf8))
        let file = try #require(put[header: "location"])
        #expect(file == "\(Self.path)generic/files/d/a%20b")
        #expect(try await proxy.client.send("GET", file, headers: [bearer]).text == "content")

        for (path, status) in [("generic/files", 301), ("generic/files/d", 302)] {
            let answer = try await proxy.client.send(
                "GET", Self.path + path, headers: [bearer, ("Accept", "text/html")])
            #expect(answer.status == status)
            // nginx makes a redirect to its backend absolute or leaves it: either way it leads through the proxy.
            let location = try #require(answer[header: "location"])
            #expect(location.hasSuffix("\(Self.path)\(path)/"), "\(location)")
            let listing = try await proxy.client.send("GET", "\(Self.path)\(path)/", headers: [bearer])
            #expect(listing.status == 200 && listing.text.contains("entries"))
        }

        let page = try await proxy.client.send("GET", "\(Self.path)v1/audit?limit=1", headers: [bearer])
        let link = try #require(page[header: "link"])
        let next = try #require(link.split(separator: ">").first?.dropFirst())
        #expect(next.hasPrefix("\(Self.path)v1/audit?"))
        #expect(try await proxy.client.send("GET", String(next), headers: [bearer]).status == 200)

        let session = try await post(
            "\(Self.path)v1/repos/files/uploads",
            ["expectedDigest": .string(String(repeating: "cd", count: 32)), "expectedLength": 3])
        let place = try #require(session[header: "location"])
        #expect(place.hasPrefix("\(Self.path)v1/repos/files/uploads/"))
        let part = try await post("\(place)/parts", ["partNumber": 1])
        let url = try #require(try JSON(parsing: part.body)["uploadUrl"]?.text)
        #expect(url.hasPrefix("http://\(host)\(Self.path)v1/"), "\(url)")
        let target = String(url.dropFirst("http://\(host)".count))
        #expect(try await proxy.client.send("PUT", target, body: Array("abc".utf8)).status == 200)
    }
}
