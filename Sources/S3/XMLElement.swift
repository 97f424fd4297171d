// The little XML that S3 answers with: elements and text. What is no such document is refused, not guessed at; there
// are no entities but XML's own five and numbers, and no document types.

import Domain

struct XMLElement {
    /// Without its namespace's prefix.
    let name: String
    private(set) var text = ""
    private(set) var children: [XMLElement] = []

    private static let depthLimit = 16

    /// The first child of that name.
    subscript(name: String) -> XMLElement? { self.children.first { $0.name == name } }

    func all(_ name: String) -> [XMLElement] { self.children.filter { $0.name == name } }

    private init(name: String) { self.name = name }

    /// Nil where the bytes are no document.
    init?(parsing bytes: [UInt8]) {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        var rest = Substring(text)
        var open: [XMLElement] = []
        var root: XMLElement?
        while let mark = rest.first("<") {
            let before = rest[..<mark]
            if open.isEmpty {
                guard before.allSatisfy({ $0.isWhitespace || $0 == "\u{FEFF}" }) else { return nil }
            } else {
                guard let decoded = Self.decode(before) else { return nil }
                open[open.count - 1].text += decoded
            }
            rest = rest[mark...]
            if rest.startsWithBytes(of: "<?") {
                guard Self.skip(&rest, past: "?>") != nil else { return nil }
            } else if rest.startsWithBytes(of: "<!--") {
                guard Self.skip(&rest, past: "-->") != nil else { return nil }
            } else if rest.startsWithBytes(of: "<![CDATA["), !open.isEmpty {
                guard let data = Self.skip(&rest, past: "]]>") else { return nil }
                open[open.count - 1].text += Substring(data.utf8.dropFirst("<![CDATA[".utf8.count))
            } else if rest.startsWithBytes(of: "</") {
                guard let tag = Self.skip(&rest, past: ">"), let element = open.popLast(),
                    Self.localName(Substring(tag.utf8.dropFirst(2))).hasSameBytes(as: element.name)
                else { return nil }
                if open.isEmpty { root = element } else { open[open.count - 1].children.append(element) }
            } else {
                guard root == nil, open.count < Self.depthLimit, let tag = Self.skip(&rest, past: ">") else {
                    return nil
                }
                let isEmpty = tag.endsWithBytes(of: "/")
                let name = Self.localName(Substring(tag.utf8.dropFirst().dropLast(isEmpty ? 1 : 0)))
                guard !name.isEmpty, !name.contains(where: { "<!&\"'=".contains($0) }) else { return nil }
                let element = XMLElement(name: name)
                if !isEmpty {
                    open.append(element)
                } else if open.isEmpty {
                    root = element
                } else {
                    open[open.count - 1].children.append(element)
                }
            }
        }
        guard open.isEmpty, let root, rest.allSatisfy(\.isWhitespace) else { return nil }
        self = root
    }

    /// Takes the text up to `end`, which is taken too.
    private static func skip(_ rest: inout Substring, past end: String) -> Substring? {
        var start = rest.utf8[...]
        while !start.starts(with: end.utf8) { guard start.popFirst() != nil else { return nil } }
        defer { rest = rest[rest.utf8.index(start.startIndex, offsetBy: end.utf8.count)...] }
        return rest[..<start.startIndex]
    }

    /// The tag's name, without attributes and namespace.
    private static func localName(_ tag: Substring) -> String {
        let name = tag.prefix { !$0.isWhitespace }
        return String(name.last(":").map { name[name.utf8.index(after: $0)...] } ?? name)
    }

    private static func decode(_ text: Substring) -> String? {
        guard text.has("&") else { return String(text) }
        var decoded = ""
        var rest = text
        while let mark = rest.first("&") {
            decoded += rest[..<mark]
            guard let end = rest[mark...].first(";") else { return nil }
            let entity = rest[rest.utf8.index(after: mark)..<end]
            switch entity {
            case "amp": decoded += "&"
            case "lt": decoded += "<"
            case "gt": decoded += ">"
            case "quot": decoded += "\""
            case "apos": decoded += "'"
            case _ where entity.startsWithBytes(of: "#x"):
                guard let scalar = UInt32(entity.dropFirst(2), radix: 16).flatMap(Unicode.Scalar.init) else {
                    return nil
                }
                decoded.unicodeScalars.append(scalar)
            case _ where entity.startsWithBytes(of: "#"):
                guard let scalar = UInt32(entity.dropFirst()).flatMap(Unicode.Scalar.init) else { return nil }
                decoded.unicodeScalars.append(scalar)
            default: return nil
            }
            rest = rest[rest.utf8.index(after: end)...]
        }
        return decoded + rest
    }

    /// Text as it stands in a document.
    static func encode(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { encoded, scalar in
            switch scalar {
            case "&": encoded += "&amp;"
            case "<": encoded += "&lt;"
            case ">": encoded += "&gt;"
            default: encoded.unicodeScalars.append(scalar)
            }
        }
    }
}
