// The written form of one event: a JSON object for machines, aligned text for people. Secrets do not get through here.

import Domain

struct LogLine {
    let time: Timestamp
    let level: Log.Level
    let message: String
    let correlation: UniqueID?
    let fields: [(name: String, value: JSON)]

    /// With the line's end, and no other line end in it: what a client sends cannot forge a second line.
    func bytes(in format: Log.Format) -> [UInt8] {
        switch format {
        case .json: self.json
        case .text: self.text
        }
    }

    private var json: [UInt8] {
        var members = [
            JSON.Member("time", JSON(self.time)), JSON.Member("level", .string(self.level.rawValue)),
            JSON.Member("message", .string(Redaction.text(self.message))),
        ]
        if let correlation { members.append(JSON.Member("correlationId", .string(correlation.description))) }
        for field in self.fields {
            // A field with the name of a standard field does not hide it.
            let name = members.contains { $0.name == field.name } ? field.name + "_" : field.name
            members.append(JSON.Member(name, Redaction.document(field.value, of: field.name)))
        }
        return Self.escaped(JSON.object(members).bytes) + [UInt8(ascii: "\n")]
    }

    /// JSON in which every character that is not printed stands as an escape. JSON itself escapes only the C0 controls, and
    /// a terminal obeys C1 controls and bidirectional controls too. (They stand only in strings: all else is ASCII.)
    private static func escaped(_ json: [UInt8]) -> [UInt8] {
        if json.allSatisfy({ $0 < 0x7F }) { return json }
        var escaped: [UInt8] = []
        escaped.reserveCapacity(json.count + 64)
        for scalar in String(decoding: json, as: UTF8.self).unicodeScalars {
            guard Self.isHidden(scalar) else {
                escaped += Array(String(scalar).utf8)
                continue
            }
            for unit in String(scalar).utf16 {
                let digits = String(unit, radix: 16)
                escaped += "\\u\(String(repeating: "0", count: 4 - digits.utf8.count))\(digits)".utf8
            }
        }
        return escaped
    }

    /// Whether a terminal or an editor acts on the character instead of showing it.
    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .format: true
        default: false
        }
    }

    private var text: [UInt8] {
        let level = self.level.rawValue.uppercased()
        var text = "\(self.time.description.prefix(23))Z \(level)\(String(repeating: " ", count: 8 - level.utf8.count))"
        text += Self.printable(Redaction.text(self.message))
        if let correlation { text += " correlationId=\(correlation)" }
        for field in self.fields {
            text += " \(Self.printable(field.name))=\(Self.word(Redaction.document(field.value, of: field.name)))"
        }
        return Array((text + "\n").utf8)
    }

    /// A value as one word, quoted where it must be.
    private static func word(_ value: JSON) -> String {
        guard case .string(let text) = value else { return self.printable(value.description) }
        let isPlain = !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x3D && $0 != 0x7F }
        return isPlain ? self.printable(text) : self.printable(value.description)
    }

    /// Without control characters (and what else moves a terminal's cursor): they are escaped.
    private static func printable(_ text: String) -> String {
        var printable = ""
        for scalar in text.unicodeScalars {
            if Self.isHidden(scalar) {
                printable += scalar == "\n" ? "\\n" : "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                printable.unicodeScalars.append(scalar)
            }
        }
        return printable
    }
}
