// Which documents both databases keep: PostgreSQL's jsonb has no U+0000 and no number beyond its own.

extension JSON {
    /// What keeps the document from being stored, for people; nil where nothing does.
    package var storageProblem: String? {
        switch self {
        case .null, .bool, .integer: nil
        case .number(let text): Self.isStorable(number: text) ? nil : "a number has too many digits"
        case .string(let text): text.utf8.contains(0) ? "a text has the character U+0000" : nil
        case .array(let elements): elements.lazy.compactMap(\.storageProblem).first
        case .object(let members):
            members.lazy.compactMap { JSON.string($0.name).storageProblem ?? $0.value.storageProblem }.first
        }
    }

    private static func isStorable(number text: String) -> Bool {
        guard text.utf8.count <= 1000 else { return false }
        guard let mark = text.utf8.firstIndex(where: { $0 == UInt8(ascii: "e") || $0 == UInt8(ascii: "E") }) else {
            return true
        }
        guard let exponent = Int(text[text.index(after: mark)...].trimmingPrefix("+")) else { return false }
        return abs(exponent) <= 1000
    }
}
