// JSON written as YAML for people: block style, and what is short on one line. Quoted is whatever YAML could read as
// something else.

import Domain

enum YAMLText {
    private static let lineLimit = 110

    static func of(_ document: JSON) -> String {
        var text = ""
        self.write(document, indent: 0, to: &text)
        return text
    }

    private static func write(_ value: JSON, indent: Int, to text: inout String) {
        let space = String(repeating: " ", count: indent)
        switch value {
        case .object(let members):
            for member in members {
                text += "\(space)\(self.scalar(member.name)):"
                self.writeValue(member.value, indent: indent, to: &text)
            }
        case .array(let elements):
            for element in elements {
                text += "\(space)-"
                self.writeValue(element, indent: indent, to: &text)
            }
        default: text += "\(space)\(self.flow(value))\n"
        }
    }

    private static func writeValue(_ value: JSON, indent: Int, to text: inout String) {
        let isLarge =
            switch value {
            case .object(let members): members.contains { self.isContainer($0.value) }
            case .array(let elements): elements.contains(where: self.isContainer)
            default: false
            }
        let line = self.flow(value)
        if self.isContainer(value), isLarge || line.utf8.count + indent > self.lineLimit {
            text += "\n"
            self.write(value, indent: indent + 2, to: &text)
        } else {
            text += " \(line)\n"
        }
    }

    /// Whether it has something in it.
    private static func isContainer(_ value: JSON) -> Bool {
        switch value {
        case .object(let members): !members.isEmpty
        case .array(let elements): !elements.isEmpty
        default: false
        }
    }

    private static func flow(_ value: JSON) -> String {
        switch value {
        case .object(let members):
            "{\(members.map { "\(self.scalar($0.name)): \(self.flow($0.value))" }.joined(separator: ", "))}"
        case .array(let elements): "[\(elements.map(self.flow).joined(separator: ", "))]"
        case .string(let text): self.scalar(text)
        default: value.description
        }
    }

    private static func scalar(_ text: String) -> String {
        let isPlain =
            text.utf8.first.map { byte in
                switch byte {
                case 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "/"): true
                default: false
                }
            } ?? false
        let isWord = !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(text.lowercased())
        let isSafe = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            case UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: " "),
                UInt8(ascii: "+"):
                true
            default: false
            }
        }
        return isPlain && isWord && isSafe && !text.hasSuffix(" ") ? text : JSON.string(text).description
    }
}
