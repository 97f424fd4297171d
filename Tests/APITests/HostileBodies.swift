// Bodies that are wrong, or right but written oddly, made of an example. Rules: HTTP contract, 1.2.

import Domain
import HTTP
import Synchronization

enum HostileBodies {
    /// No JSON object, whatever is asked for: 400.
    static let malformed: [(name: String, bytes: [UInt8])] = [
        ("nothing", []), ("blank", Array("  \n".utf8)), ("null", Array("null".utf8)), ("a list", Array("[]".utf8)),
        ("a number", Array("5".utf8)), ("a text", Array(#""x""#.utf8)), ("cut short", Array(#"{"subject": "a"#.utf8)),
        ("more behind it", Array("{} {}".utf8)), ("single quotes", Array("{'a': 1}".utf8)),
        ("a comma too many", Array(#"{"a": 1,}"#.utf8)),
        ("no UTF-8", [0x7B, 0x22, 0xFF, 0xFE, 0x22, 0x3A, 0x31, 0x7D]),
        ("overlong UTF-8", [0x7B, 0x22, 0xC0, 0xAF, 0x22, 0x3A, 0x31, 0x7D]), ("a NUL", [0x7B, 0x00, 0x7D]),
        ("half a surrogate", Array(#"{"a": "\ud800"}"#.utf8)), ("not a number", Array(#"{"a": NaN}"#.utf8)),
        ("a megabyte of lists", Self.nested("[", "]")), ("a megabyte of objects", Self.nested(#"{"a":"#, "}")),
        ("a megabyte of lists never closed", Self.nested("[", "")),
    ]

    /// In a member that nobody asked for.
    private static func nested(_ open: String, _ close: String) -> [UInt8] {
        let depth = 1_000_000 / (open.utf8.count + close.utf8.count)
        let inside = String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
        return Array(#"{"zzz": \#(inside)}"#.utf8)
    }

    /// The same as the example says, in another spelling.
    static func equals(of example: JSON) -> [(name: String, body: JSON)] {
        let extra: [JSON.Member] = [
            .init("zzz", ["zzz": [1, .number("2.0"), nil, "\u{1F4A3}"]]), .init("__proto__", [:]), .init("", ""),
            .init("$where", "1"),
        ]
        let members = example.members ?? []
        return [
            ("PascalCase", Self.renamed(example) { $0.prefix(1).uppercased() + $0.dropFirst() }),
            ("UPPER CASE", Self.renamed(example) { $0.uppercased() }),
            ("unknown members", .object(extra + members + extra)),
            (
                "numbers as texts",
                Self.mapped(example) { if case .integer(let i) = $0 { .string(" \(i) ") } else { $0 } }
            ),
            ("members twice, the last right", .object(members.map { .init($0.name, [["wrong": 1]]) } + members)),
        ]
    }

    /// With one member wrong; `isWrong` where that can't be anything but 400.
    static func spoilt(_ example: JSON) -> [(name: String, body: String, isWrong: Bool)] {
        var bodies: [(name: String, body: String, isWrong: Bool)] = []
        for place in Self.leaves(of: example) {
            for (text, isWrong) in Self.replacements(for: place.value) {
                let isNullable = place.path.first == "settings"  // null: the default
                let marked = Self.replaced(example, at: place.path, by: .string(Self.mark))
                let body = marked.description.replacing("\"\(Self.mark)\"", with: text)
                bodies.append(
                    (
                        "\(place.path.joined(separator: ".")) = \(text.prefix(40))", body,
                        isWrong && !(text == "null" && isNullable)
                    ))
            }
        }
        return bodies
    }

    private static let mark = "THE-MEMBER-IN-QUESTION"

    private static func replacements(for value: JSON) -> [(String, isWrong: Bool)] {
        let long = "\"" + String(repeating: "\u{1F4A3}", count: 30_000) + "\""
        switch value {
        case .integer:
            return [
                ("9223372036854775808", true), ("-9223372036854775809", true), ("1e400", true), ("1.5", true),
                ("\"9223372036854775808\"", true), ("\"\"", true), ("\"0x10\"", true), ("null", true), ("true", true),
                ("[]", true), ("{}", true), (String(repeating: "9", count: 100_000), true),
                ("9223372036854775807", false), ("-9223372036854775808", false), ("-1", false), ("0", false),
            ]
        case .string:
            return [
                ("5", true), ("true", true), ("[]", true), ("{}", true), ("\"\\u0000\"", false), ("\"\"", false),
                ("\"\\u202e\\ufffe'; DROP TABLE repos; --\"", false), (long, false), ("null", false),
                ("\"%s%n/../\\\\\"", false),
            ]
        case .bool: return [("1", true), ("\"true\"", true), ("null", true), ("[]", true), ("{}", true)]
        case .array:
            let many = "[" + Array(repeating: "\"x\"", count: 20_000).joined(separator: ",") + "]"
            return [
                ("{}", true), ("5", true), ("\"x\"", true), ("[null]", true), ("[[[]]]", true), ("[5]", true),
                ("[]", false), ("null", false), (many, false),
            ]
        case .object: return [("5", true), ("[]", true), ("\"x\"", true), ("null", false), ("{\"\": null}", false)]
        case .null, .number: return []
        }
    }

    // MARK: - Within documents

    /// A manifest's inside is the publisher's own: it is neither renamed nor looked at.
    private static func isOpaque(_ name: String) -> Bool { name == "manifest" }

    private static func leaves(of value: JSON) -> [(path: [String], value: JSON)] {
        switch value {
        case .object(let members):
            members.flatMap { member in
                [([member.name], member.value)]
                    + (Self.isOpaque(member.name)
                        ? [] : Self.leaves(of: member.value).map { ([member.name] + $0.path, $0.value) })
            }
        case .array(let elements):
            elements.enumerated().flatMap { index, element in
                Self.leaves(of: element).map { (["\(index)"] + $0.path, $0.value) }
            }
        default: []
        }
    }

    private static func replaced(_ value: JSON, at path: [String], by new: JSON) -> JSON {
        guard let first = path.first else { return new }
        let rest = Array(path.dropFirst())
        switch value {
        case .object(let members):
            return .object(
                members.map { $0.name == first ? .init($0.name, Self.replaced($0.value, at: rest, by: new)) : $0 })
        case .array(let elements):
            return .array(
                elements.enumerated().map { "\($0)" == first ? Self.replaced($1, at: rest, by: new) : $1 })
        default: return value
        }
    }

    private static func renamed(_ value: JSON, _ rename: (String) -> String) -> JSON {
        switch value {
        case .object(let members):
            .object(
                members.map { member in
                    .init(
                        rename(member.name),
                        Self.isOpaque(member.name) ? member.value : Self.renamed(member.value, rename))
                })
        case .array(let elements): .array(elements.map { Self.renamed($0, rename) })
        default: value
        }
    }

    private static func mapped(_ value: JSON, _ change: (JSON) -> JSON) -> JSON {
        switch value {
        case .object(let members): .object(members.map { .init($0.name, Self.mapped($0.value, change)) })
        case .array(let elements): .array(elements.map { Self.mapped($0, change) })
        default: change(value)
        }
    }
}

/// A chunked body: of no announced length, a few bytes at a time.
final class Drip: BodySource {
    private let rest: Mutex<ArraySlice<UInt8>>
    private let size: Int

    init(_ bytes: [UInt8], by size: Int) {
        self.rest = Mutex(bytes[...])
        self.size = size
    }

    func nextChunk() async throws -> [UInt8]? {
        self.rest.withLock { rest in
            guard !rest.isEmpty else { return nil }
            defer { rest = rest.dropFirst(self.size) }
            return Array(rest.prefix(self.size))
        }
    }
}
