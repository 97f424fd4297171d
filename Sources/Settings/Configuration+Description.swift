// `artifortress config`: the settings in force, each with its source, secrets hidden.

package import Domain

extension Configuration {
    /// One line a setting: key, value, source; and a note if the setting is not yet effective.
    package var text: String {
        let rows = Catalogue.all.map { setting in
            let source = self.entries[Name(setting.name)]?.source.description ?? ""
            let note = setting.pendingFeature.map { "  (not yet effective: needs \($0))" } ?? ""
            return (setting.name, self.shownText(setting.name), source + note)
        }
        let width = rows.map(\.0.count).max() ?? 0
        let valueWidth = min(rows.map(\.1.count).max() ?? 0, 48)
        return rows.map { key, value, source in
            "\(key.padded(to: width))  \(value.padded(to: valueWidth))  \(source)\n"
        }.joined()
    }

    /// `[{"key", "value", "source"}]`; a setting that is not yet effective also has `"pendingFeature"`.
    package var json: JSON {
        .array(
            Catalogue.all.map { setting in
                let entry = self.entries[Name(setting.name)]
                var members: [JSON.Member] = [
                    .init("key", .string(setting.name)), .init("value", entry?.shown ?? .null),
                    .init("source", JSON(entry?.source.description)),
                ]
                if let feature = setting.pendingFeature { members.append(.init("pendingFeature", .string(feature))) }
                return .object(members)
            })
    }

    /// Settings that were given a value although nothing in this build uses them, with the feature that would.
    package var ineffective: [(name: String, source: SettingSource, feature: String)] {
        Catalogue.all.compactMap { setting in
            guard let feature = setting.pendingFeature, let source = self.entries[Name(setting.name)]?.source,
                source != .default
            else { return nil }
            return (setting.name, source, feature)
        }
    }

    private func shownText(_ name: String) -> String {
        switch self.entries[Name(name)]?.shown ?? .null {
        case .null: "none"
        case .string(let text): text
        case .array(let elements): elements.isEmpty ? "none" : elements.compactMap(\.text).joined(separator: ",")
        case let other: other.description
        }
    }
}

extension String {
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - self.count)) }
}
