// Settings in a YAML file. A key may be nested (`database: {url: …}`), dotted (`database.url: …`) or both.

import Domain
import YAML

enum FileLayer {
    static func given(inFile path: String) throws(SettingsFault) -> [Name: Given] {
        try Self.given(in: SmallFile.text(of: path, for: "config"), path: path)
    }

    static func given(in text: String, path: String) throws(SettingsFault) -> [Name: Given] {
        let document: YAMLDocument.Node?
        do { document = try YAMLDocument.parse(text, path: path) } catch { throw SettingsFault(error.description) }
        guard let root = document, !root.isNull else { return [:] }
        guard case .mapping(let members) = root.content else {
            throw SettingsFault("\(path):\(root.line): not a mapping; allowed: keys of settings with their values")
        }
        let names = Catalogue.all.map(\.name)
        var given: [Name: Given] = [:]
        try Self.collect(members, below: "", names: names, path: path, into: &given)
        return given
    }

    private static func collect(
        _ members: [YAMLDocument.Member], below parent: String, names: [String], path: String,
        into given: inout [Name: Given]
    ) throws(SettingsFault) {
        for member in members {
            let key = parent.isEmpty ? member.key : "\(parent).\(member.key)"
            let source = SettingSource.file(path: path, line: member.line)
            if names.contains(where: { $0.hasSameBytes(as: key) }) {
                let content = try Self.content(of: member.value, for: key, source)
                guard given.updateValue(Given(content: content, source: source), forKey: Name(key)) == nil else {
                    throw SettingsFault(key, source, "is given twice")
                }
            } else if names.contains(where: { $0.startsWithBytes(of: "\(key).") }) {
                switch member.value.content {
                case .mapping(let below): try Self.collect(below, below: key, names: names, path: path, into: &given)
                case .scalar(_, let isPlain) where isPlain && member.value.isNull: continue  // a section left empty
                case .scalar, .sequence:
                    throw SettingsFault(key, source, "is a group of settings; allowed: keys below it")
                }
            } else {
                throw SettingsFault(key, source, "no such setting" + Spelling.suggestion(for: key, among: names))
            }
        }
    }

    private static func content(
        of node: YAMLDocument.Node, for key: String, _ source: SettingSource
    ) throws(SettingsFault) -> Given.Content {
        switch node.content {
        case .mapping: return .mapping
        case .scalar where node.isNull: return .nothing
        case .scalar(let text, let isPlain): return isPlain ? .text(text) : .quoted(text)
        case .sequence(let nodes):
            var texts: [String] = []
            for element in nodes {
                guard case .scalar(let text, _) = element.content, !element.isNull else {
                    return .document(node.json)
                }
                texts.append(text)
            }
            return .list(texts)
        }
    }
}
