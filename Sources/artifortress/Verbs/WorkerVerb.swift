// `artifortress worker`: the background work apart from the HTTP interface. Rules: HTTP contract, 4.2.

import Commands
import Registry
import Settings
import Telemetry
import Threads
import Worker

enum WorkerVerb {
    static let command = Command(
        name: "worker", summary: "Run the background worker alone.",
        details: "For installations on PostgreSQL: on SQLite 'serve' does the work, and no other process can.",
        flags: [Flag("once", "Do each kind of work once, and end.")] + SettingsFlags.all
    ) { invocation in
        let configuration = try SettingsFlags.read(invocation)
        try await FaultReport(configuration).naming { try await Self.run(configuration, invocation) }
    }

    private static func run(_ configuration: Configuration, _ invocation: Invocation) async throws {
        let observation = Observation(configuration)
        observation.warnOfIneffectiveSettings(in: configuration)
        defer { observation.log.flush() }
        let deployment = try await Deployment.open(configuration, migrates: configuration[.migrateAtStart])
        let serving = Serving(deployment, observation)
        do {
            if invocation.isOn("once") {
                for sweep in serving.sweeps { try await sweep.once() }
                try await serving.searchWork.once()
                try await serving.webhookDelivery.once()
            } else {
                StopSignal.ignoreBrokenPipes()
                StopSignal.expect()
                var services: [any Service] = [Running { await StopSignal.wait() }, serving.heartbeat]
                services += serving.background
                if deployment.isOnSQLite { services.append(Running { try await serving.listenLocally() }) }
                if configuration[.metricsListen] != nil {
                    services.append(Running { try await serving.listenForMonitoring() })
                }
                try await runTogether(services)
                let sweep = ObjectSweep(
                    database: deployment.database, storage: deployment.storage, clock: deployment.clock)
                try? await sweep.recordEnd(of: deployment.instance)  // else it counts as dead a minute later
            }
        } catch {
            await deployment.close()
            throw error
        }
        await deployment.close()
    }
}
