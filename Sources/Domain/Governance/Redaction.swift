// What may stand in a log or an audit row. Rules: HTTP contract, 1.7 (by key, by value) and section 9, row 16 (the form of
// our tokens); beyond it, what faults of drivers tend to quote: passwords in URLs, signatures, private keys.

package enum Redaction {
    package static let mark = "[REDACTED]"

    /// Whether a value is hidden for its key's sake. Letter case does not count.
    package static func hides(key: String) -> Bool {
        let key = Array(key.lowercased().utf8)
        return self.secretWords.contains { self.holds(key, $0) } && !self.harmlessWords.contains { self.holds(key, $0) }
    }

    /// In bytes: every change is audited, and comparing characters is most of what redaction costs.
    private static func holds(_ text: [UInt8], _ word: [UInt8]) -> Bool {
        guard word.count <= text.count else { return false }
        return (0...(text.count - word.count)).contains { start in
            word.indices.allSatisfy { text[start + $0] == word[$0] }
        }
    }

    /// A value as it may be shown: hidden whole for its key's sake, else without the secrets that stand in it.
    package static func value(_ value: String, of key: String) -> String {
        self.hides(key: key) ? self.mark : self.text(value)
    }

    /// Text without the secrets that stand in it.
    package static func text(_ text: String) -> String {
        var scanner = SecretScanner(text)
        return scanner.redacted() ?? text
    }

    /// A document whose every string is as it may be shown.
    package static func document(_ document: JSON, of key: String = "") -> JSON {
        switch document {
        case .null, .bool: document
        case .integer, .number: self.hides(key: key) ? .string(self.mark) : document
        case .string(let text): .string(self.value(text, of: key))
        case .array(let elements): .array(elements.map { self.document($0, of: key) })
        case .object(let members):
            self.hides(key: key)
                ? .string(self.mark)
                : .object(members.map { JSON.Member($0.name, self.document($0.value, of: $0.name)) })
        }
    }

    private static let secretWords = [
        "token", "secret", "password", "authorization", "assertion", "privatekey", "private_key", "accesskey",
        "access_key",
    ].map { Array($0.utf8) }
    private static let harmlessWords = [
        "tokenid", "token_id", "digest", "checksum", "hash", "blobdigest", "blob_digest",
    ].map { Array($0.utf8) }
}
