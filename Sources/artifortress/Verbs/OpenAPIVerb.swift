// `artifortress openapi`: the description of the HTTP API.

import Commands
import Description
import Domain

enum OpenAPIVerb {
    static let command = Command(
        name: "openapi", summary: "Print the description of the HTTP API (OpenAPI 3.1), in YAML or JSON.",
        flags: [.output]
    ) { invocation in
        let description = try APIDescription.current()
        invocation.console.print(invocation.wantsJSON ? description.document.description : description.yaml)
    }
}
