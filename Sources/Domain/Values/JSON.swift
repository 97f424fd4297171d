// JSON documents as values. Ours, because the wire asks for what Foundation loses: the order and the repetition of
// property names, numbers as they were written, names that compare without case (HTTP contract, 1.2 and 1.3).

/// One JSON value (RFC 8259).
package enum JSON: Sendable {
    package struct Member: Hashable, Sendable {
        private let key: Name
        package let value: JSON

        package var name: String { self.key.text }

        package init(_ name: String, _ value: JSON) {
            self.key = Name(name)
            self.value = value
        }
    }

    case null
    case bool(Bool)
    case integer(Int64)
    /// Any other number, as it is written.
    case number(String)
    case string(String)
    case array([JSON])
    /// In the order of writing.
    case object([Member])

    /// The member named exactly `name`; of repeated ones the last.
    package subscript(name: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.name.hasSameBytes(as: name) }?.value
    }

    package var text: String? { if case .string(let text) = self { text } else { nil } }

    package var integer: Int64? { if case .integer(let value) = self { value } else { nil } }

    package var elements: [JSON]? { if case .array(let elements) = self { elements } else { nil } }

    package var members: [Member]? { if case .object(let members) = self { members } else { nil } }
}

extension JSON: Hashable {
    /// Texts and member names are equal only if their bytes are.
    package static func == (left: JSON, right: JSON) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.integer(let left), .integer(let right)): left == right
        case (.number(let left), .number(let right)), (.string(let left), .string(let right)):
            left.hasSameBytes(as: right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        case (.null, _), (.bool, _), (.integer, _), (.number, _), (.string, _), (.array, _), (.object, _): false
        }
    }

    package func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .integer(let value): hasher.combine(value)
        case .number(let text), .string(let text): hasher.combine(Name(text))
        case .array(let elements): hasher.combine(elements)
        case .object(let members): hasher.combine(members)
        }
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral, ExpressibleByStringInterpolation
{
    package init(stringLiteral text: String) { self = .string(text) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(nilLiteral: ()) { self = .null }
    package init(dictionaryLiteral members: (String, JSON)...) { self = .object(members.map { Member($0.0, $0.1) }) }

    package init(_ text: String?) { self = text.map(JSON.string) ?? .null }
    package init(_ value: Int?) { self = value.map { .integer(Int64($0)) } ?? .null }
    package init(_ value: Int64?) { self = value.map(JSON.integer) ?? .null }
    package init(_ time: Timestamp?) { self = time.map { .string($0.description) } ?? .null }
    package init<Thing>(_ id: Identifier<Thing>?) { self = id.map { .string($0.description) } ?? .null }
    package init(_ texts: [String]) { self = .array(texts.map(JSON.string)) }
}

extension JSON: CustomStringConvertible {
    /// The compact form: one line; nothing is escaped that need not be (HTTP contract, 1.3).
    package var description: String { String(decoding: self.bytes, as: UTF8.self) }

    /// The compact form, in UTF-8.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        self.write(to: &bytes)
        return bytes
    }

    package func write(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes += "null".utf8
        case .bool(let value): bytes += (value ? "true" : "false").utf8
        case .integer(let value): bytes += String(value).utf8
        case .number(let text): bytes += text.utf8
        case .string(let text): Self.write(text, to: &bytes)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.write(member.name, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static func write(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x0A: bytes += "\\n".utf8
            case 0x0D: bytes += "\\r".utf8
            case 0x09: bytes += "\\t".utf8
            case 0..<0x20: bytes += "\\u00\(Hexadecimal.text(of: [byte]))".utf8
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
