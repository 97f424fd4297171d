// Whether an answer is as the API's description says: its status, headers, content type and body. Every answer that a
// test of this target gets comes through here, so a description that is wrong fails the tests of what it describes.

import Description
import Domain
import HTTP

struct AnswerCheck {
    private let document: JSON
    private let operations: [String: Operation]

    init() throws {
        let description = try APIDescription.current()
        self.document = description.document
        self.operations = Dictionary(
            description.operations.map { ("\($0.method) \($0.pattern)", $0) }, uniquingKeysWith: { $1 })
    }

    /// What is wrong; nil where all is well, or where the route is not the network's.
    func problem(of answer: Answer, by route: String) -> String? {
        guard !route.contains(" /local/") else { return nil }
        guard let operation = self.operations[route] else { return "\(route) is not described" }
        // What the server itself couldn't do isn't any route's matter.
        guard ![500, 503, 507].contains(answer.status) else { return nil }
        guard let described = operation.document["responses"]?[String(answer.status)].map(self.resolved) else {
            return "\(route): \(answer.status) is not described"
        }
        for header in described["headers"]?.members ?? [] {
            let isRequired = self.resolved(header.value)["required"] == true
            if isRequired, answer.headers[header.name] == nil {
                return "\(route): \(answer.status) without \(header.name)"
            }
        }
        guard let content = described["content"]?.members else {
            return answer.body.isEmpty ? nil : "\(route): \(answer.status) has a body, but none is described"
        }
        let type = answer.headers["content-type"]?.split(separator: ";").first.map(String.init) ?? ""
        guard let media = content.first(where: { $0.name == type }) ?? content.first(where: { $0.name == "*/*" }) else {
            return "\(route): \(answer.status) is \(type), which is not described"
        }
        guard let schema = media.value["schema"], type == "application/json" || type.hasSuffix("+json"),
            !answer.body.isEmpty
        else { return nil }
        guard let body = try? JSON(parsing: answer.body) else { return "\(route): no JSON" }
        return SchemaCheck(self.document).problem(of: body, by: schema, at: "\(route) \(answer.status)")
    }

    private func resolved(_ node: JSON) -> JSON { SchemaCheck(self.document).resolved(node) }
}

/// As much of JSON schema (2020-12) as the description uses; but a key that isn't described is a fault too, except in
/// errors, which may bring more.
struct SchemaCheck {
    private let document: JSON

    init(_ document: JSON) { self.document = document }

    func resolved(_ node: JSON) -> JSON {
        guard let path = node["$ref"]?.text else { return node }
        return path.split(separator: "/").dropFirst().reduce(self.document) { $0[String($1)] ?? .null }
    }

    func problem(of value: JSON, by reference: JSON, at place: String) -> String? {
        let schema = self.resolved(reference)
        if let choices = schema["anyOf"]?.elements {
            let fits = choices.contains { self.problem(of: value, by: $0, at: place) == nil }
            return fits ? nil : "\(place): \(value) fits none of \(schema)"
        }
        if let type = schema["type"] {
            let types = type.elements?.compactMap(\.text) ?? [type.text ?? ""]
            guard types.contains(Self.type(of: value)) else { return "\(place): \(value) is not \(types)" }
        }
        if let values = schema["enum"]?.elements, !values.contains(value) {
            return "\(place): \(value) not in \(values)"
        }
        switch value {
        case .string(let text): return self.problem(of: text, by: schema, at: place)
        case .array(let elements):
            guard let items = schema["items"] else { return nil }
            for (index, element) in elements.enumerated() {
                if let problem = self.problem(of: element, by: items, at: "\(place)[\(index)]") { return problem }
            }
            return nil
        case .object(let members):
            let isOpen = reference["$ref"]?.text?.hasPrefix("#/components/schemas/Problem") == true
            return self.problem(of: members, by: schema, isOpen: isOpen, at: place)
        case .null, .bool, .integer, .number: return nil
        }
    }

    private func problem(of text: String, by schema: JSON, at place: String) -> String? {
        let isRight =
            switch schema["format"]?.text {
            case "uuid": UniqueID(text) != nil
            case "date-time": Timestamp(rfc3339: text) != nil
            default: true
            }
        guard isRight else { return "\(place): '\(text)' is no \(schema["format"] ?? .null)" }
        guard let pattern = schema["pattern"]?.text else { return nil }
        guard let regex = try? Regex(pattern) else { return "\(place): \(pattern) is no pattern" }
        return text.firstMatch(of: regex) == nil ? "\(place): '\(text)' is not \(pattern)" : nil
    }

    private func problem(of members: [JSON.Member], by schema: JSON, isOpen: Bool, at place: String) -> String? {
        for name in schema["required"]?.elements?.compactMap(\.text) ?? []
        where !members.contains(where: { $0.name == name }) { return "\(place): \(name) is missing" }
        guard let properties = schema["properties"] else {
            guard let rest = schema["additionalProperties"], rest.members != nil else { return nil }
            for member in members {
                if let problem = self.problem(of: member.value, by: rest, at: "\(place).\(member.name)") {
                    return problem
                }
            }
            return nil
        }
        for member in members {
            guard let property = properties[member.name] else {
                if isOpen { continue }
                return "\(place): \(member.name) is not described"
            }
            if let problem = self.problem(of: member.value, by: property, at: "\(place).\(member.name)") {
                return problem
            }
        }
        return nil
    }

    private static func type(of value: JSON) -> String {
        switch value {
        case .null: "null"
        case .bool: "boolean"
        case .integer: "integer"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}
