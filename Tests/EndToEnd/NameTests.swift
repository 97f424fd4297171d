// Paths are their bytes, from the request line to the stored object and back, also where answers are remembered.

import Domain
import Foundation
import TestSupport
import Testing

@Suite struct NameTests {
    /// Pairs that Unicode calls equivalent, percent-encoded.
    private static let lookalikes = [
        ("d/Kit.tgz", "d/%E2%84%AAit.tgz"), ("d/%C3%A9.tgz", "d/e%CC%81.tgz"), ("d/a%3Bb", "d/a%CD%BEb"),
        ("d/%EA%B0%80", "d/%E1%84%80%E1%85%A1"),
    ]

    @Test(arguments: Shape.available)
    func `one path is never answered with the bytes of another`(shape: Shape) async throws {
        try await shape.withServer { server in
            let token = try await server.token()
            let writer = try await server.token("attacker", scopes: ["repo:files:write"])
            try await server.createRepository("files", settings: ["allowConfusableNames": true], token: token)
            for (victim, attacker) in Self.lookalikes {
                let (one, other) = ("/generic/files/\(victim)", "/generic/files/\(attacker)")
                #expect(try await server.put(one, Array("right".utf8), token: token).status == 201)
                #expect(try await server.get(other, token: token).status == 404, "\(attacker) was never published")
                #expect(try await server.get(one, token: token).status == 200)
                #expect(try await server.get(other, token: token).status == 404, "\(attacker) was never published")
                #expect(try await server.put(other, Array("wrong".utf8), token: writer).status == 201)
                for _ in 1...3 {
                    #expect(try await server.get(other, token: token).text == "wrong")
                    #expect(try await server.get(one, token: token).text == "right")
                }
                for checksum in ["\(one).sha256", "\(one).sha256"] {
                    #expect(
                        try await server.get(checksum, token: token).text
                            != server.get("\(other).sha256", token: token).text)
                }
            }
            // A folder shows each of them once, with its own bytes.
            let listing = try JSON(
                parsing: try await server.get(
                    "/generic/files/d/", token: token, headers: [("Accept", "application/json")]
                ).body)
            let names = (listing["entries"]?.elements ?? []).compactMap { $0["name"]?.text }.map { Name($0) }
            #expect(names.count == 2 * Self.lookalikes.count && Set(names).count == names.count)
            #expect(names == names.sorted())
            let digests = (listing["entries"]?.elements ?? []).compactMap { $0["sha256"]?.text }
            #expect(Set(digests).count == 2 && digests.count == names.count)
        }
    }

    @Test(arguments: Shape.available)
    func `a path that looks like one that exists is refused before its bytes are kept`(shape: Shape) async throws {
        try await shape.withServer { server in
            let token = try await server.token()
            try await server.createRepository("files", token: token)
            for (victim, attacker) in Self.lookalikes {
                let (one, other) = ("/generic/files/\(victim)", "/generic/files/\(attacker)")
                #expect(try await server.put(one, Array("right".utf8), token: token).status == 201)
                for length in [5, 200_000] {
                    let refused = try await server.put(other, [UInt8](repeating: 7, count: length), token: token)
                    #expect(refused.status == 409 && refused.text.contains("confusable_name"), "\(refused.text)")
                }
                #expect(try await server.get(other, token: token).status == 404)
                #expect(try await server.get(one, token: token).text == "right")
            }
            for path in ["a%C2%85b", "a%E2%80%AEgnp.exe", "%E2%81%A6x", "a%7F"] {
                let refused = try await server.put("/generic/files/\(path)", [1], token: token)
                #expect(refused.status == 400, "\(path): \(refused.text)")
            }
        }
    }

    @Test(arguments: Shape.available)
    func `a name that begins with a combining mark, and a folder that ends with a prepended one, can be followed`(
        shape: Shape
    ) async throws {
        try await shape.withServer { server in
            let token = try await server.token()
            try await server.createRepository("files", token: token)
            for path in ["d/%CC%81b.txt", "d/%D8%80/x.txt", "%E2%80%8D/%CC%81/y"] {
                #expect(try await server.put("/generic/files/\(path)", Array(path.utf8), token: token).status == 201)
            }
            /// Every file below a folder, by the links of its page.
            func follow(_ folder: String) async throws -> [String] {
                let page = try await server.get(folder, token: token, headers: [("Accept", "text/html")])
                #expect(page.status == 200, "\(folder)")
                var found: [String] = []
                for link in page.text.matches(of: /href="\.\/([^"]+)"/).map({ String($0.1) }) {
                    if link.hasSuffix("/") {
                        found += try await follow(folder + link)
                    } else {
                        let file = try await server.get(folder + link, token: token)
                        #expect(file.status == 200, "\(folder)\(link)")
                        found.append(file.text)
                    }
                }
                return found
            }
            let found = try await follow("/generic/files/")
            #expect(found.sorted() == ["%E2%80%8D/%CC%81/y", "d/%CC%81b.txt", "d/%D8%80/x.txt"])
            let listing = try await server.get(
                "/generic/files/d/", token: token, headers: [("Accept", "application/json")])
            let names = try JSON(parsing: listing.body)["entries"]?.elements?.compactMap { $0["name"]?.text } ?? []
            #expect(names.map { Name($0) } == ["\u{301}b.txt", "\u{600}/"])
        }
    }
}
