// The server's binary: its verbs.

import Commands
import Threads

@main
struct Artifortress {
    static func main() async {
        let program = Program(
            name: "artifortress", summary: "An artifact repository.",
            commands: [
                ServeVerb.command, WorkerVerb.command, MigrateVerb.command, TenantVerbs.command, TokenVerbs.command,
                ConfigVerb.command, StorageVerbs.command, DoctorVerb.command,
                OpenAPIVerb.command, VersionVerb.command,
            ])
        ProcessEnd.exit(await program.run(Array(CommandLine.arguments.dropFirst())).rawValue)
    }
}
