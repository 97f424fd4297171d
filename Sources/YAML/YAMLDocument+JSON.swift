// YAML read as JSON: what descriptions and settings are made of.

package import Domain

extension YAMLDocument.Node {
    /// The same as JSON; plain words that YAML's core schema knows are what they mean (YAML 1.2, 10.3.2).
    package var json: JSON {
        switch self.content {
        case .mapping(let members): .object(members.map { JSON.Member($0.key, $0.value.json) })
        case .sequence(let nodes): .array(nodes.map(\.json))
        case .scalar(let text, isPlain: false): .string(text)
        case .scalar("true", isPlain: true): true
        case .scalar("false", isPlain: true): false
        case .scalar(let text, isPlain: true): self.isNull ? .null : Int64(text).map(JSON.integer) ?? .string(text)
        }
    }
}
