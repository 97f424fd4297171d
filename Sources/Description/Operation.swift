// One route as a fragment describes it:
//
//   POST /v1/repos/{repoKey}/things:
//     summary: Make a thing.            # one line
//     about: …                          # more, where there is more to say
//     access: write                     # in the words of `Access` (API/Endpoint.swift)
//     security: [bearer, bootstrap]     # only where it is not as the access says; `none`: also without
//     path: {thingName: string}         # only for places whose names do not say what may stand there
//     query: {(limit): integer}        # a name in brackets may be left out
//     headers: {(If-Match): string}
//     body: ThingDraft                  # JSON of that schema; or {application/octet-stream: binary}
//     optionalBody: true
//     example: {thing: "x"}             # a body that is well formed; tests make hostile ones of it
//     answers: {201: Thing}             # JSON of that schema; null for no body; or {text/csv: string}
//     answerHeaders: {201: [Location]}  # headers that such an answer always has
//     errors: [404, 409]                # beside the usual ones (ErrorAnswer.swift)
//     neverErrors: [401]                # usual ones that it does not have

package import Domain

package struct Operation: Sendable {
    package let method: String
    /// As the router has it.
    package let pattern: String
    /// Who is let in, in words.
    package let access: String
    /// A JSON body that is well formed.
    package let example: JSON?
    /// OpenAPI's operation object.
    package private(set) var document: JSON = .null
    let hasBody: Bool
    /// Whether the query or a header says something.
    let hasParameters: Bool

    /// OpenAPI's path: it knows no place that takes the rest.
    package var path: String { self.pattern.replacing("...}", with: "}") }

    /// Whether it heeds `Idempotency-Key`.
    var isRepeatable: Bool { self.method == "POST" && self.pattern.hasPrefix("/v1/") }

    init(_ title: String, _ node: JSON, tag: String, problem: JSON?) throws {
        let words = title.split(separator: " ")
        guard words.count == 2, let access = node["access"]?.text, let summary = node["summary"]?.text else {
            throw FragmentFault("METHOD and path, access and summary are required")
        }
        self.method = String(words[0])
        self.pattern = String(words[1])
        self.access = access
        self.example = node["example"]
        self.hasBody = node["body"] != nil
        self.hasParameters = node["query"] != nil || node["headers"] != nil
        let known = [
            "summary", "about", "access", "security", "path", "query", "headers", "body", "optionalBody", "example",
            "answers", "answerHeaders", "errors", "neverErrors",
        ]
        if let other = node.members?.first(where: { !known.contains($0.name) }) {
            throw FragmentFault("'\(other.name)' is unknown")
        }
        var members: [JSON.Member] = [
            .init("operationId", .string(self.name)), .init("tags", [.string(tag)]),
            .init("summary", .string(summary)), .init("description", .string(self.about(node["about"]?.text))),
            .init("security", self.security(node["security"]?.elements?.compactMap(\.text))),
        ]
        let parameters = try self.parameters(node)
        if !parameters.isEmpty { members.append(.init("parameters", .array(parameters))) }
        if let body = node["body"] {
            members.append(.init("requestBody", try self.body(body, isOptional: node["optionalBody"] == true)))
        }
        members.append(.init("responses", try self.answers(node, problem)))
        self.document = .object(members)
    }

    /// `getReposBindings`: unique, since a path's places are in it too.
    private var name: String {
        let words = self.pattern.split(whereSeparator: { "/{}.-".contains($0) }).filter { $0 != "v1" }
        return self.method.lowercased() + words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    private func about(_ text: String?) -> String {
        let rule =
            switch self.access {
            case "anyone": "For anyone."
            case "token": "For any valid token."
            case "read", "write", "promote", "admin": "Asks for the role `\(self.access)` on the repository."
            default: "Asks for: \(self.access)."
            }
        return (text.map { "\($0) " } ?? "") + rule
    }

    private func security(_ given: [String]?) -> JSON {
        let schemes = given ?? (self.access == "anyone" ? [] : ["bearer", "basic"])
        return .array(schemes.map { $0 == "none" ? [:] : .object([.init($0, [])]) })
    }

    private func parameters(_ node: JSON) throws -> [JSON] {
        var parameters: [JSON] = []
        for segment in self.pattern.split(separator: "/") where segment.hasPrefix("{") {
            let name = String(segment.dropFirst().dropLast().replacing("...", with: ""))
            if let schema = node["path"]?[name] {
                parameters.append(APIDescription.parameter(name, try SchemaNotation.schema(schema), "").value)
            } else if APIDescription.parameters.contains(where: { $0.name == name }) {
                parameters.append(["$ref": .string("#/components/parameters/\(name)")])
            } else if name.hasSuffix("Id") {
                parameters.append(
                    APIDescription.parameter(name, ["$ref": "#/components/schemas/Id"], "").value)
            } else {
                let about: JSON = segment.hasSuffix("...}") ? "May have `/` in it." : ""
                parameters.append(APIDescription.parameter(name, ["type": "string", "minLength": 1], about).value)
            }
        }
        for place in ["query", "header"] {
            for member in node[place == "query" ? "query" : "headers"]?.members ?? [] {
                parameters.append([
                    "name": .string(SchemaNotation.bare(member.name)), "in": .string(place),
                    "required": .bool(!SchemaNotation.isOptional(member.name)),
                    "schema": try SchemaNotation.schema(member.value),
                ])
            }
        }
        if self.isRepeatable { parameters.append(["$ref": "#/components/parameters/Idempotency-Key"]) }
        return parameters
    }

    private func body(_ body: JSON, isOptional: Bool) throws -> JSON {
        var content = try Self.content(body).members ?? []
        if let example = self.example, case .object(let media)? = content.first?.value {
            content[0] = .init(content[0].name, .object(media + [.init("example", example)]))
        }
        return ["required": .bool(!isOptional), "content": .object(content)]
    }

    /// A schema for JSON, or a mapping of content types to schemas.
    static func content(_ node: JSON) throws -> JSON {
        guard let members = node.members, members.contains(where: { $0.name.contains("/") }) else {
            return ["application/json": ["schema": try SchemaNotation.schema(node)]]
        }
        return try self.content(members)
    }

    static func content(_ members: [JSON.Member]) throws -> JSON {
        .object(
            try members.map { member in
                .init(member.name, member.value == "binary" ? [:] : ["schema": try SchemaNotation.schema(member.value)])
            })
    }

    private func answers(_ node: JSON, _ problem: JSON?) throws -> JSON {
        var answers: [JSON.Member] = []
        for member in node["answers"]?.members ?? [] {
            var headers: [JSON.Member] = [.init("X-Correlation-Id", ["$ref": "#/components/headers/X-Correlation-Id"])]
            for header in node["answerHeaders"]?[member.name]?.elements?.compactMap(\.text) ?? [] {
                headers.append(.init(header, ["required": true, "schema": ["type": "string"]]))
            }
            var answer: [JSON.Member] = [
                .init("description", .string(Self.meaning(of: member.name))), .init("headers", .object(headers)),
            ]
            if member.value != .null { answer.append(.init("content", try Self.content(member.value))) }
            answers.append(.init(member.name, .object(answer)))
        }
        var errors = ErrorAnswer.usual(for: self)
        errors.formUnion((node["errors"]?.elements ?? []).compactMap { $0.integer.map { Int($0) } })
        errors.subtract((node["neverErrors"]?.elements ?? []).compactMap { $0.integer.map { Int($0) } })
        for status in errors.sorted() where !answers.contains(where: { $0.name == String(status) }) {
            answers.append(.init(String(status), try ErrorAnswer.document(status, content: problem)))
        }
        return .object(answers)
    }

    private static func meaning(of status: String) -> String {
        switch status {
        case "201": "Made."
        case "202": "Queued."
        case "204": "Done; there is nothing to say."
        case "206": "A part of it."
        case "301", "302": "It is at the path in `Location`."
        case "304": "Unchanged since the caller read it."
        case "307": "It is there: the URL in `Location` holds for a minute."
        case "503": "Not ready."
        default: "Done."
        }
    }
}
