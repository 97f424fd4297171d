// `artifortress serve`: the HTTP interface and the background work, in one process or apart.

import Commands
import Domain
import Glibc
import Identity
import Persistence
import Registry
import Settings
import Telemetry
import Threads
import Worker

enum ServeVerb {
    static let command = Command(
        name: "serve", summary: "Run the server: the HTTP interface and the background worker in one process.",
        details: "Without any flag everything is kept in ./artifortress-data. SIGTERM and SIGINT end it gently.",
        flags: SettingsFlags.all
    ) { invocation in
        let configuration = try SettingsFlags.read(invocation)
        try await FaultReport(configuration).naming { try await Self.run(configuration, invocation.console) }
    }

    private static func run(_ configuration: Configuration, _ console: Console) async throws {
        let observation = Observation(configuration)
        observation.warnOfIneffectiveSettings(in: configuration)
        observation.checkDescriptorLimit(for: configuration)
        defer { observation.log.flush() }
        let deployment = try await Deployment.open(
            configuration, migrates: configuration[.migrateAtStart], lockTimeout: .seconds(2))
        let serving = Serving(deployment, observation)
        let sweep = ObjectSweep(
            database: deployment.database, storage: deployment.storage, clock: deployment.clock)
        do {
            try await Self.introduce(deployment, sweep, observation.log)
        } catch let fault as DatabaseFault where fault.rejectsWrites {
            observation.log.error("writes are rejected; what is stored can be read", because: fault)
        } catch {
            await deployment.close()
            throw error
        }
        let roles = configuration[.roles]
        var services: [any Service] = [Running { await StopSignal.wait() }, serving.heartbeat]
        if roles.contains(.worker) { services += serving.background }
        if deployment.isOnSQLite { services.append(Running { try await serving.listenLocally() }) }
        if roles.contains(.api) {
            services += [serving.notingUses, serving.feedEnding] as [any Service]
            services.append(
                Running {
                    try await serving.listen { address in console.print("artifortress listens on \(address)") }
                })
        }
        if configuration[.metricsListen] != nil { services.append(Running { try await serving.listenForMonitoring() }) }
        StopSignal.ignoreBrokenPipes()
        StopSignal.expect()
        do {
            try await runTogether(services)
        } catch {
            await deployment.close()
            throw error
        }
        do {
            try await serving.tokenUses.flush()
        } catch {
            observation.log.error("the last uses of tokens were not recorded", because: error)
        }
        try? await sweep.recordEnd(of: deployment.instance)  // else it counts as dead a minute later
        await deployment.close()
    }

    /// Writes what the database has to know of this process, and the first start's token.
    private static func introduce(_ deployment: Deployment, _ sweep: ObjectSweep, _ log: Log) async throws {
        try await BootstrapFile.provide(for: deployment, log)
        try await sweep.recordHeartbeat(deployment.instance)
        if deployment.isOnSQLite { try await sweep.removeOthers(than: deployment.instance) }
    }
}

/// The first start's token, put where only the administrator reads it (HTTP contract, section 5: auth.bootstrapToken).
enum BootstrapFile {
    static func provide(for deployment: Deployment, _ log: Log) async throws {
        let bootstrap = BootstrapToken(configured: deployment.configuration[.bootstrapToken]?.value)
        guard let token = try await deployment.database.transaction({ try bootstrap.create($0) }) else { return }
        let path = "\(deployment.configuration[.data])/bootstrap-token"
        try self.write(token + "\n", to: path)
        log.warning("the bootstrap token was made", ["file": .string(path)])
    }

    static func write(_ text: String, to path: String) throws {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw self.failure(path) }
        defer { Glibc.close(descriptor) }
        let bytes = Array(text.utf8)
        let written = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard written == bytes.count, fsync(descriptor) == 0 else { throw self.failure(path) }
    }

    private static func failure(_ path: String) -> Deployment.Failure {
        Deployment.Failure(description: "cannot write \(path): \(unsafe String(cString: strerror(errno)))")
    }
}
