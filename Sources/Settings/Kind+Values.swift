// The kinds of value that settings have.

import Domain

extension Kind where Value == Int {
    static func integer(_ range: ClosedRange<Int>) -> Self {
        Self(
            allowed: "a whole number, \(range.lowerBound)..\(range.upperBound)", form: .bare,
            read: { text in
                let digits = text.utf8.first == UInt8(ascii: "-") ? text.utf8.dropFirst() : text.utf8[...]
                guard digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
                return Int(text).flatMap { range.contains($0) ? $0 : nil }
            },
            write: { .integer(Int64($0)) })
    }
}

extension Kind where Value == Bool {
    static var boolean: Self {
        Self(
            allowed: "true or false", form: .bare,
            read: { $0 == "true" ? true : $0 == "false" ? false : nil },
            write: { .bool($0) })
    }
}

extension Kind where Value == String {
    /// One line of text.
    static func text(_ allowed: String = "text, one line", limit: Int = 4096) -> Self {
        Self(
            allowed: allowed, form: .text,
            read: { $0.trimmedOrNil != nil && !$0.hasControlCharacter && $0.utf8.count <= limit ? $0 : nil },
            write: { .string($0) })
    }

    static var path: Self { .text("a path") }

    /// A document: several lines.
    static func document(_ allowed: String) -> Self {
        Self(allowed: allowed, form: .text, read: { $0.trimmedOrNil }, write: { .string("\($0.utf8.count) bytes") })
    }
}

extension Kind where Value == Secret {
    static var secret: Self {
        Self(
            allowed: "text, one line, without blanks at its ends", form: .text, isSecret: true,
            read: { text in
                guard text == text.trimmed, !text.isEmpty, !text.hasControlCharacter else { return nil }
                return Secret(text)
            },
            write: { .string($0.description) })
    }
}

extension Kind where Value == SecretBytes {
    /// - Parameter count: of bytes, twice as many digits.
    static func key(_ count: Int) -> Self {
        Self(
            allowed: "\(2 * count) hexadecimal digits (openssl rand -hex \(count))", form: .text, isSecret: true,
            read: { text in
                guard let bytes = Hexadecimal.bytes(of: text), bytes.count == count else { return nil }
                return SecretBytes(bytes)
            },
            write: { .string($0.description) })
    }
}

extension Kind where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    static var word: Self {
        Self(
            allowed: Value.allCases.map(\.rawValue).joined(separator: ", "), form: .text,
            read: { Value(rawValue: $0) }, write: { .string($0.rawValue) })
    }
}

extension Kind where Value == BaseURL {
    static var baseURL: Self { .parsed("an absolute http or https URL without query") { BaseURL($0) } }
}

extension Kind where Value == RemoteURL {
    static var remoteURL: Self { .parsed("an absolute http or https URL") { RemoteURL($0) } }
}

extension Kind where Value: CustomStringConvertible {
    /// A value that has a written form of its own.
    static func parsed(
        _ allowed: String, isSecret: Bool = false, _ parse: @escaping @Sendable (String) -> Value?
    ) -> Self {
        Self(allowed: allowed, form: .text, isSecret: isSecret, read: parse, write: { .string($0.description) })
    }
}

extension Kind {
    /// Several values of one kind.
    static func list<Element>(of kind: Kind<Element>, _ allowed: String) -> Self where Value == [Element] {
        let readList: @Sendable ([String]) -> [Element]? = { texts in
            let elements = texts.compactMap(kind.read)
            return elements.count == texts.count && !elements.isEmpty ? elements : nil
        }
        return Self(
            allowed: allowed, form: .list, read: { readList([$0]) }, readList: readList,
            write: { .array($0.map(kind.write)) })
    }
}

extension Kind where Value == PolicyRules {
    static var policyRules: Self {
        Self(
            allowed: "a list of rules (docs/policy.md); as text, in JSON", form: .text, read: { _ in nil },
            readDocument: { document throws(Refusal) in try PolicyRules(layingDown: document) }, write: { $0.json })
    }
}
