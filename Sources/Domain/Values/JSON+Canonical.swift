// One form for documents that say the same: for comparing, and for keeping what is compared.

extension JSON {
    /// Members by name (in the order of their bytes), of repeated ones the last.
    package var canonical: JSON {
        switch self {
        case .null, .bool, .integer, .number, .string: return self
        case .array(let elements): return .array(elements.map(\.canonical))
        case .object(let members):
            let last = Dictionary(members.map { (Name($0.name), $0.value) }) { $1 }
            return .object(last.sorted { $0.key < $1.key }.map { Member($0.key.text, $0.value.canonical) })
        }
    }
}
