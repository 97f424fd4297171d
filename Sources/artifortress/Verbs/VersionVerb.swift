// `artifortress version`.

import Commands
import Domain
import Persistence
import PostgreSQL

enum VersionVerb {
    /// Of this program; written by hand where a release is made.
    static let version = "0.1.0"

    static let command = Command(
        name: "version", summary: "Print the program's version and the schema's.", flags: [.output]
    ) { invocation in
        let schema = PostgreSQLDatabase.migrations.last?.version ?? ""
        invocation.console.print(
            invocation.wantsJSON
                ? (["version": .string(Self.version), "schema": .string(schema)] as JSON).description
                : "artifortress \(Self.version) (schema \(schema))")
    }
}
