// docs/configuration.md, made from the catalogue (`artifortress config --docs`); a test holds the file to it.

extension Catalogue {
    package static var documentation: String {
        var text = """
            # Settings

            This page is made from the catalogue in `Sources/Settings/Catalogue` by `artifortress config --docs`.

            One setting has three spellings; the later wins:

            | where | spelling | example |
            |---|---|---|
            | settings file: YAML, `--config FILE` or `ARTIFORTRESS_CONFIG` | the key, nested or dotted | `database: {poolSize: 4}` |
            | environment | `ARTIFORTRESS_` and the key's words in capitals | `ARTIFORTRESS_DATABASE_POOL_SIZE=4` |
            | command line | `--` and the key, its words with dashes | `--database.pool-size 4` or `--database.pool-size=4` |

            `ARTIFORTRESS_…_FILE` names a file that holds the value (a line end at its end is dropped):
            `ARTIFORTRESS_DATABASE_URL_FILE=/run/secrets/database-url`. Lists are YAML sequences, or text with commas. A boolean's
            flag may stand alone. An unknown key, a value of the wrong type or out of its range stops the start with one line
            that names the key, its source and what is allowed. `artifortress config` prints the settings in force, each with its
            source, secrets hidden. A setting that is marked as not yet effective is read and checked, but has no effect; the
            start logs a warning if one is set.

            In the file, anchors, aliases, tags and a second document are refused. Variables that Kubernetes sets for a Service
            whose name begins with `artifortress`, and those that begin with `ARTIFORTRESS_TEST_`, are not settings.

            """
        for section in Self.sections {
            text += "\n## \(section.title)\n\n| key | default | allowed | meaning |\n|---|---|---|---|\n"
            for setting in section.settings {
                let cells = [
                    "`\(setting.name)`", Self.code(setting.defaultText), setting.allowed,
                    setting.meaning + (setting.isSecret && setting.name != "database.url" ? " Secret." : "")
                        + (setting.pendingFeature.map { " **Not yet effective:** it needs \($0), which is not built." }
                            ?? ""),
                ]
                text += "| \(cells.map { $0.escaped }.joined(separator: " | ")) |\n"
            }
        }
        return text
    }

    /// Words stay words; a value is set as code.
    private static func code(_ text: String) -> String {
        text == "none" || text.contains(" ") || text.contains("`") ? text : "`\(text)`"
    }
}

extension String {
    /// For a cell of a Markdown table.
    fileprivate var escaped: String { self.map { $0 == "|" ? "\\|" : String($0) }.joined() }
}
