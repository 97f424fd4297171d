// One area's part of the description.
//
//   title: Tags                       # how the area is called
//   about: Names that point at versions.
//   problem: {application/problem+json: ProblemDetails}   # only where errors have a form of their own
//   operations: {METHOD /path: …}     # see Operation.swift; the path as the router has it
//   schemas: {Name: …}                # see SchemaNotation.swift

import Domain
import YAML

/// What is wrong with a fragment.
struct FragmentFault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

struct Fragment {
    let title: String
    let about: String
    let operations: [Operation]
    let schemas: [JSON.Member]

    init(_ name: String, _ bytes: [UInt8]) throws {
        guard let root = try YAMLDocument.parse(String(decoding: bytes, as: UTF8.self), path: name)?.json,
            let title = root["title"]?.text, let about = root["about"]?.text
        else { throw FragmentFault("\(name): title and about are required") }
        self.title = title
        self.about = about
        let problem = try root["problem"]?.members.map { try Operation.content($0) }
        self.operations = try (root["operations"]?.members ?? []).map { member in
            do {
                return try Operation(member.name, member.value, tag: title, problem: problem)
            } catch let fault as FragmentFault {
                throw FragmentFault("\(name): \(member.name): \(fault)")
            }
        }
        self.schemas = try (root["schemas"]?.members ?? []).map { member in
            JSON.Member(member.name, try SchemaNotation.schema(member.value))
        }
    }
}
