// `artifortress config`: the settings in force, each with its source, secrets hidden.

package import Domain

extension Configuration {
    /// One line a setting: key, value, source.
    package var text: String {
        let rows = Catalogue.all.map { setting in
            (setting.name, self.shownText(setting.name), self.entries[setting.name]?.source.description ?? "")
        }
        let width = rows.map(\.0.count).max() ?? 0
        let valueWidth = min(rows.map(\.1.count).max() ?? 0, 48)
        return rows.map { key, value, source in
            "\(key.padded(to: width))  \(value.padded(to: valueWidth))  \(source)\n"
        }.joined()
    }

    /// `[{"key", "value", "source"}]`
    package var json: JSON {
        .array(
            Catalogue.all.map { setting in
                let entry = self.entries[setting.name]
                return [
                    "key": .string(setting.name), "value": entry?.shown ?? .null,
                    "source": JSON(entry?.source.description),
                ]
            })
    }

    private func shownText(_ name: String) -> String {
        switch self.entries[name]?.shown ?? .null {
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
