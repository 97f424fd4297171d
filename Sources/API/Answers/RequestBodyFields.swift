// JSON request bodies as people and scripts send them. Rules: HTTP contract, 1.2: property names without regard to
// case, unknown ones ignored, the last of repeated ones wins, numbers also as strings.

package import Domain
import HTTP

/// The members of a JSON object.
package struct Fields: Sendable {
    /// In bytes.
    package static let bodyLimit = 4 << 20

    /// Named in lower case.
    private let members: [JSON.Member]
    /// Where this object stands in the body, for messages.
    private let path: String

    package init(_ document: JSON, at path: String = "") throws(Refusal) {
        guard let members = document.members else {
            throw .badRequest(path.isEmpty ? "The body must be a JSON object." : "\(path) must be an object.")
        }
        self.members = members.map { JSON.Member($0.name.asciiLowercased, $0.value) }
        self.path = path
    }

    /// The named member; nil where it is absent.
    package func value(_ name: String) -> JSON? {
        let name = name.asciiLowercased
        return self.members.last { $0.name.hasSameBytes(as: name) }?.value
    }

    private func refuse(_ name: String, _ rule: String) -> Refusal {
        .badRequest("\(self.path.isEmpty ? name : "\(self.path).\(name)") \(rule).")
    }

    /// Nil where it is absent or null.
    package func text(_ name: String) throws(Refusal) -> String? {
        switch self.value(name) {
        case nil, .null: return nil
        case .string(let text): return try self.printable(text, name)
        default: throw self.refuse(name, "must be a string")
        }
    }

    /// Text is shown to people and written to logs, so it must not contain characters that move a terminal's cursor or
    /// reorder what is read. (U+0000 cannot be stored by every database either.)
    private func printable(_ text: String, _ name: String) throws(Refusal) -> String {
        if let character = text.firstUnprintable {
            throw self.refuse(name, "must not contain the control character \(character.codePoint)")
        }
        return text
    }

    /// Trimmed text of one line; nil if it is absent or blank.
    ///
    /// - Throws: `bad_request` also if it contains a tab or a line end.
    package func trimmedLine(_ name: String) throws(Refusal) -> String? {
        let text = try self.trimmedText(name)
        if let text, let character = text.unicodeScalars.first(where: \.isControlOrBidirectional) {
            throw self.refuse(name, "must not contain the control character \(character.codePoint)")
        }
        return text
    }

    /// Trimmed; blank counts as absent.
    package func trimmedText(_ name: String) throws(Refusal) -> String? { try self.text(name)?.trimmedOrNil }

    /// - Throws: `bad_request` also where it is absent or blank.
    package func requiredText(_ name: String) throws(Refusal) -> String {
        guard let text = try self.trimmedText(name) else { throw self.refuse(name, "is required") }
        return text
    }

    /// Zero where it is absent.
    package func integer(_ name: String) throws(Refusal) -> Int64 { try self.optionalInteger(name) ?? 0 }

    package func optionalInteger(_ name: String) throws(Refusal) -> Int64? {
        switch self.value(name) {
        case nil: return nil
        case .integer(let value): return value
        case .string(let text):
            guard let value = Int64(text.trimmed) else { throw self.refuse(name, "must be an integer") }
            return value
        default: throw self.refuse(name, "must be an integer of at most 64 bits")
        }
    }

    /// False where it is absent.
    package func bool(_ name: String) throws(Refusal) -> Bool { try self.optionalBool(name) ?? false }

    package func optionalBool(_ name: String) throws(Refusal) -> Bool? {
        switch self.value(name) {
        case nil: return nil
        case .bool(let value): return value
        default: throw self.refuse(name, "must be true or false")
        }
    }

    /// All zeros where it is absent.
    package func id(_ name: String) throws(Refusal) -> UniqueID {
        guard let value = self.value(name) else { return .zero }
        guard let id = value.text.flatMap({ UniqueID($0) }) else { throw self.refuse(name, "must be a UUID") }
        return id
    }

    /// Nil where it is absent or null.
    package func texts(_ name: String) throws(Refusal) -> [String]? {
        switch self.value(name) {
        case nil, .null: return nil
        case .array(let elements):
            var texts: [String] = []
            for element in elements {
                guard let text = element.text else { throw self.refuse(name, "must be a list of strings") }
                texts.append(try self.printable(text, name))
            }
            return texts
        default: throw self.refuse(name, "must be a list of strings")
        }
    }

    /// Nil where it is absent or null.
    package func objects(_ name: String) throws(Refusal) -> [Fields]? {
        switch self.value(name) {
        case nil, .null: return nil
        case .array(let elements):
            var objects: [Fields] = []
            for (index, element) in elements.enumerated() {
                objects.append(try Fields(element, at: "\(name)[\(index)]"))
            }
            return objects
        default: throw self.refuse(name, "must be a list of objects")
        }
    }
}

extension Call {
    /// The body, which must be a JSON object.
    ///
    /// - Throws: `bad_request`, also for more than ``JSON/valueLimit`` values; `payload_too_large` over
    ///   ``Fields/bodyLimit``; `service_unavailable`.
    package func fields() async throws -> Fields {
        let type = self.request.headers["content-type"]?.parts(at: ";").first?.trimmed.asciiLowercased ?? ""
        guard type == "application/json" || type.endsWithBytes(of: "+json") else {
            throw Refusal.badRequest("Content-Type must be application/json.")
        }
        let bytes = try await self.document(upTo: Fields.bodyLimit)
        do {
            return try Fields(JSON(parsing: bytes, valueLimit: JSON.valueLimit))
        } catch let error as JSON.SyntaxError {
            throw Refusal.badRequest("The body cannot be read as JSON: \(error).")
        }
    }

    /// The body where one is sent; nil where none is (HTTP contract, 1.2: optional bodies).
    package func optionalFields() async throws -> Fields? {
        if self.request.body.length == 0 { return nil }
        return try await self.fields()
    }
}
