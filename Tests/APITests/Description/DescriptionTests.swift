// The description of the API says what the program does: no route without it, nothing in it without a route.

import API
import Description
import Domain
import Foundation
import HTTP
import TestSupport
import Testing

@testable import artifortress

@Suite struct DescriptionTests {
    @Test func `every route is described, with its access, and nothing else is`() async throws {
        try await Installation.with(.sqlite, ["metrics.token": "figures"]) { server in
            let operations = try APIDescription.current().operations
            let described = Dictionary(
                operations.map { ("\($0.method) \($0.pattern)", $0.access) }, uniquingKeysWith: { "\($0), and \($1)" })
            let routes = server.application.router.routes.map {
                ("\($0.method) \($0.pattern)", $0.handler.access.description)
            }
            for (name, access) in routes {
                #expect(described[name] == access, "'\(name)' in Sources/Description/Fragments")
            }
            let names = Set(routes.map(\.0))
            for name in described.keys { #expect(names.contains(name), "'\(name)' is no route") }
        }
    }

    @Test func `the server hands out the description, whole, and anyone may have it`() async throws {
        try await Installation.with(.sqlite) { server in
            let answer = try await server.send("GET", "/openapi.json")
            #expect(answer.status == 200 && answer.headers["content-type"]?.hasPrefix("application/json") == true)
            #expect(answer.json == (try APIDescription.current().document))
            #expect(answer.json["openapi"] == "3.1.0")
        }
    }

    @Test func `the document of the folder docs is the same one`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..")
        let text = try String(contentsOf: root.appending(path: "docs/openapi.yaml"), encoding: .utf8)
        #expect(text == (try APIDescription.current().yaml), "run: make docs")
    }

    @Test func `every reference leads somewhere, and operations have names of their own`() throws {
        let description = try APIDescription.current()
        let text = description.document.description
        let check = SchemaCheck(description.document)
        for found in text.matches(of: /"\$ref":"([^"]+)"/) {
            let reference = String(found.output.1)
            #expect(check.resolved(["$ref": .string(reference)]) != .null, "\(reference)")
        }
        let names = description.operations.compactMap { $0.document["operationId"]?.text }
        #expect(Set(names).count == names.count)
    }

    @Test func `every JSON body has an example that fits its schema`() throws {
        let description = try APIDescription.current()
        for operation in description.operations {
            guard let schema = operation.document["requestBody"]?["content"]?["application/json"]?["schema"] else {
                continue
            }
            guard let example = operation.example else {
                Issue.record("\(operation.method) \(operation.pattern) has no example")
                continue
            }
            let problem = SchemaCheck(description.document).problem(of: example, by: schema, at: operation.pattern)
            #expect(problem == nil)
        }
    }
}
