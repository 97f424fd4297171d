// `artifortress config`: the settings in force, and where each comes from. Rules: HTTP contract, section 5.

import Commands
import Domain
import Settings

enum ConfigVerb {
    static let command = Command(
        name: "config", summary: "Print the settings in force, each with its source; secrets are hidden.",
        flags: [Flag("docs", "Print the page of all settings instead, in Markdown."), .output] + SettingsFlags.all
    ) { invocation in
        if invocation.isOn("docs") { return invocation.console.print(Catalogue.documentation) }
        let configuration = try SettingsFlags.read(invocation)
        invocation.console.print(
            invocation.wantsJSON ? configuration.json.description : configuration.text)
    }
}
