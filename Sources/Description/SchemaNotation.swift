// How fragments write schemas. A schema is
//
//   word             string, integer, boolean, number, object, any, or the name of a schema
//   word or null     that, or null
//   list of word     an array of it
//   [a, b]           one of these texts
//   a mapping        a JSON schema (2020-12), in which `properties`, `items`, `additionalProperties`, `anyOf` hold schemas of
//                    this form again. Of `properties`, all are required but those in brackets.

import Domain

enum SchemaNotation {
    static func schema(_ node: JSON) throws -> JSON {
        switch node {
        case .string(let text): try self.schema(of: text)
        case .array(let values): ["type": "string", "enum": .array(values)]
        case .object(let members): try self.schema(of: members)
        case .null, .bool, .integer, .number: throw FragmentFault("'\(node)' is no schema")
        }
    }

    private static func schema(of text: String) throws -> JSON {
        if text.hasPrefix("list of ") {
            return ["type": "array", "items": try self.schema(of: String(text.dropFirst("list of ".count)))]
        }
        guard text.hasSuffix(" or null") else { return try self.word(text) }
        let schema = try self.schema(of: String(text.dropLast(" or null".count)))
        guard let members = schema.members, let type = schema["type"] else {
            return ["anyOf": [schema, ["type": "null"]]]
        }
        return .object(members.map { $0.name == "type" ? .init("type", [type, "null"]) : $0 })
    }

    private static func word(_ word: String) throws -> JSON {
        switch word {
        case "string", "boolean", "object", "number": return ["type": .string(word)]
        case "integer": return ["type": "integer", "format": "int64"]
        case "any": return [:]
        default:
            guard let first = word.first, first.isUppercase, word.allSatisfy({ $0.isLetter || $0.isNumber }) else {
                throw FragmentFault("'\(word)' is no schema's name")
            }
            return ["$ref": .string("#/components/schemas/\(word)")]
        }
    }

    private static func schema(of members: [JSON.Member]) throws -> JSON {
        var result: [JSON.Member] = []
        for member in members {
            switch (member.name, member.value) {
            case ("properties", .object(let properties)):
                if !members.contains(where: { $0.name == "type" }) { result.append(.init("type", "object")) }
                let required = properties.map(\.name).filter { !self.isOptional($0) }
                if !required.isEmpty { result.append(.init("required", JSON(required))) }
                result.append(
                    .init(
                        "properties",
                        .object(
                            try properties.map { property in
                                .init(Self.bare(property.name), try self.schema(property.value))
                            })))
            case ("items", let value): result.append(.init("items", try self.schema(value)))
            case ("additionalProperties", .string), ("additionalProperties", .object):
                result.append(.init("additionalProperties", try self.schema(member.value)))
            case ("anyOf", .array(let values)):
                result.append(.init("anyOf", .array(try values.map { try self.schema($0) })))
            default: result.append(member)
            }
        }
        return .object(result)
    }

    /// Whether what has that name may be absent.
    static func isOptional(_ name: String) -> Bool { name.hasPrefix("(") }

    /// The name without brackets.
    static func bare(_ name: String) -> String {
        self.isOptional(name) ? String(name.dropFirst().dropLast()) : name
    }
}
